//! Commits and files of git revisions.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::error::{CliError, reason};
use crate::file;

const NAMING: &str =
    "name a template, a revision, or REV:PATH as `git show` takes it (REV:./PATH starts here)";

/// Commit outside of a repository.
pub(crate) const NONE: &str = "none";

/// Returns the commit of a file's folder, with `-dirty` if the work tree differs; [`NONE`] outside of a repository.
pub(crate) fn commit(file: &Path) -> String {
    let folder = file::parent(file);
    let ask = |arguments: &[&str]| {
        let output = Command::new("git")
            .current_dir(folder)
            .args(arguments)
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match ask(&["rev-parse", "--short=12", "HEAD"]).filter(|commit| !commit.is_empty()) {
        None => NONE.to_owned(),
        Some(commit) => match ask(&["status", "--porcelain"]).as_deref() {
            Some("") => commit,
            _ => format!("{commit}-dirty"),
        },
    }
}

/// Returns the bytes of a file in a revision, `REV:PATH`; `None` if it has more than `limit` bytes.
pub(crate) fn show(object: &str, limit: u64) -> Result<Option<Vec<u8>>, CliError> {
    let size = git(&["cat-file", "-s", object], object)?;
    let size: Option<u64> = String::from_utf8_lossy(&size).trim().parse().ok();
    if size.is_none_or(|size| size > limit) {
        return Ok(None);
    }
    git(&["cat-file", "blob", object], object).map(Some)
}

/// Returns true if a revision has a path of the file system.
pub(crate) fn holds(revision: &str, path: &Path) -> Result<bool, CliError> {
    Ok(!list(revision, path, &["ls-tree"])?.is_empty())
}

/// Returns the folders in a folder of a revision.
pub(crate) fn folders(revision: &str, path: &Path) -> Result<Vec<PathBuf>, CliError> {
    // With a trailing slash, git lists the contents.
    list(revision, &path.join(""), &["ls-tree", "-d"])
}

fn list(revision: &str, path: &Path, command: &[&str]) -> Result<Vec<PathBuf>, CliError> {
    let path = path.to_string_lossy();
    let arguments = [command, &["-z", "--name-only", revision, "--", &path]].concat();
    let names = git(&arguments, revision)?;
    let names = String::from_utf8_lossy(&names);
    Ok(names.split_terminator('\0').map(PathBuf::from).collect())
}

/// Returns git's name of a file in a revision, by its path from the current folder.
pub(crate) fn object(revision: &str, path: &Path) -> String {
    let relative = file::relative_path(Path::new("."), path);
    let relative = relative.unwrap_or_else(|_| path.display().to_string());
    format!("{revision}:./{relative}")
}

/// Runs git in English, and explains its errors in terms of the user's argument.
fn git(arguments: &[&str], object: &str) -> Result<Vec<u8>, CliError> {
    let refused =
        |why: &str, hint: &str| CliError::input(format!("cannot read {object}: {why}")).hint(hint);
    if object.starts_with('-') {
        return Err(refused("a revision does not start with `-`", NAMING));
    }
    let mut command = Command::new("git");
    command.env("LC_ALL", "C").args(arguments);
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| refused(&reason(&error), "check that git is installed"))?;
    if status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&stderr);
    let why = stderr.lines().next().unwrap_or("git does not know it");
    let why = why.trim_start_matches("fatal: ").trim_end_matches('.');
    Err(match why.to_lowercase() {
        why if why.starts_with("not a git repository") => CliError::input(format!(
            "there is no {object}"
        ))
        .hint("name a template; revisions need a git repository, and this folder is not in one"),
        why if why.contains("valid object name") => {
            let name = object.split(':').next().unwrap_or(object);
            CliError::input(format!("{name} is neither a file nor a revision")).hint(NAMING)
        }
        _ => refused(why, NAMING),
    })
}
