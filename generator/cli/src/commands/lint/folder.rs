//! Searches of folders for templates.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::assembly;
use crate::error::{CliError, reason};
use crate::terraform;

/// Extensions of templates.
const EXTENSIONS: [&str; 4] = ["json", "template", "yaml", "yml"];

/// Folders of packages and builds, which are skipped.
const SKIPPED: [&str; 2] = ["node_modules", "target"];

/// Finds files that may be templates, in the order of their paths, then folders with modules of Terraform. Links to folders
/// are not followed, so that no file is found twice; the folder itself may be a link.
pub(super) fn templates(
    folder: &Path,
    is_excluded: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, CliError> {
    let (mut found, mut configurations) = (Vec::new(), Vec::new());
    let mut entries = WalkDir::new(folder).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = plain(entry.path());
        if entry.path().is_dir() {
            let is_link = entry.path_is_symlink() && entry.depth() > 0;
            if !is_link && (is_skipped(&entry) || is_excluded(path)) {
                entries.skip_current_dir();
            } else if !is_link && let Some(templates) = assembly::templates(path) {
                found.extend(templates);
                entries.skip_current_dir();
            } else if !is_link && terraform::has_configuration(path) {
                configurations.push(path.to_owned());
            }
        } else if has_extension(path) && entry.path().is_file() && !terraform::is_file(path) {
            found.push(path.to_owned());
        }
    }
    found.extend(configurations);
    Ok(found)
}

/// Removes a leading `./`.
pub(super) fn plain(path: &Path) -> &Path {
    match path.strip_prefix(".") {
        Ok(rest) if rest != Path::new("") => rest,
        _ => path,
    }
}

/// Returns true for folders to skip. Hidden folders belong to tools, but .serverless holds packaged templates.
fn is_skipped(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let hidden = name.starts_with('.') && name != ".serverless";
    entry.depth() > 0 && (hidden || SKIPPED.contains(&name.as_ref()))
}

fn has_extension(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|it| {
        EXTENSIONS
            .iter()
            .any(|known| it.eq_ignore_ascii_case(known))
    })
}

fn unreadable(folder: &Path, error: &walkdir::Error) -> CliError {
    let path = error.path().unwrap_or(folder);
    let why = error.io_error().map(reason).unwrap_or_default();
    CliError::input(format!("cannot read {}: {why}", path.display()))
        .hint("check that you may read it, or skip it with `--exclude`")
        .file(path)
}
