//! Files of a folder that may be templates.

use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::assembly;
use crate::error::{CliError, reason};

/// What templates are called.
const EXTENSIONS: [&str; 4] = ["json", "template", "yaml", "yml"];

/// Folders of packages and of builds.
const LEFT_OUT: [&str; 2] = ["node_modules", "target"];

/// In the order of their paths. Links to folders are not followed, so that nothing is met twice; the folder itself may
/// be one.
pub(super) fn templates(
    folder: &Path,
    is_excluded: impl Fn(&Path) -> bool,
) -> Result<Vec<PathBuf>, CliError> {
    let mut found = Vec::new();
    let mut entries = WalkDir::new(folder).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = plain(entry.path());
        if entry.path().is_dir() {
            let is_link = entry.path_is_symlink() && entry.depth() > 0;
            if !is_link && (is_left_out(&entry) || is_excluded(path)) {
                entries.skip_current_dir();
            } else if !is_link && let Some(templates) = assembly::templates(path) {
                found.extend(templates);
                entries.skip_current_dir();
            }
        } else if has_extension(path) && entry.path().is_file() {
            found.push(path.to_owned());
        }
    }
    Ok(found)
}

/// Without a `./` that nobody wrote.
pub(super) fn plain(path: &Path) -> &Path {
    match path.strip_prefix(".") {
        Ok(rest) if rest != Path::new("") => rest,
        _ => path,
    }
}

/// Hidden folders are of tools; the one that the Serverless Framework packages into holds templates.
fn is_left_out(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let hidden = name.starts_with('.') && name != ".serverless";
    entry.depth() > 0 && (hidden || LEFT_OUT.contains(&name.as_ref()))
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
        .hint("check that you may read it, or leave it out with `--exclude`")
        .file(path)
}
