//! What git knows of a revision.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::error::{CliError, reason};
use crate::file;

const HOW_TO_NAME: &str =
    "name a template, a revision, or REV:PATH as `git show` takes it (REV:./PATH starts here)";

/// The commit that a file's folder is at, with `-dirty` when something in it differs; `none` where git does not know.
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
        None => "none".to_owned(),
        Some(commit) => match ask(&["status", "--porcelain"]).as_deref() {
            Some("") => commit,
            _ => format!("{commit}-dirty"),
        },
    }
}

/// The bytes of a file in a revision: `REV:PATH`. `None` when it has more of them than `limit`.
pub(crate) fn show(object: &str, limit: u64) -> Result<Option<Vec<u8>>, CliError> {
    let size = git(&["cat-file", "-s", object], object)?;
    let size: Option<u64> = String::from_utf8_lossy(&size).trim().parse().ok();
    if size.is_none_or(|size| size > limit) {
        return Ok(None);
    }
    git(&["cat-file", "blob", object], object).map(Some)
}

/// Whether a path of the file system is in a revision.
pub(crate) fn holds(revision: &str, path: &Path) -> Result<bool, CliError> {
    Ok(!list(revision, path, &["ls-tree"])?.is_empty())
}

/// The folders that are in a folder in a revision.
pub(crate) fn folders(revision: &str, path: &Path) -> Result<Vec<PathBuf>, CliError> {
    // With a slash at its end git lists what is in it.
    list(revision, &path.join(""), &["ls-tree", "-d"])
}

fn list(revision: &str, path: &Path, command: &[&str]) -> Result<Vec<PathBuf>, CliError> {
    let path = path.to_string_lossy();
    let arguments = [command, &["-z", "--name-only", revision, "--", &path]].concat();
    let names = git(&arguments, revision)?;
    let names = String::from_utf8_lossy(&names);
    Ok(names.split_terminator('\0').map(PathBuf::from).collect())
}

/// A file of the file system in a revision, as git names it: by the way from the current folder.
pub(crate) fn object(revision: &str, path: &Path) -> String {
    let way = file::way(Path::new("."), path);
    let way = way.unwrap_or_else(|_| path.display().to_string());
    format!("{revision}:./{way}")
}

/// Runs git, which then speaks English, and explains its refusals in terms of what it was asked for.
fn git(arguments: &[&str], object: &str) -> Result<Vec<u8>, CliError> {
    let refused =
        |why: &str, hint: &str| CliError::input(format!("cannot read {object}: {why}")).hint(hint);
    if object.starts_with('-') {
        return Err(refused("a revision does not start with `-`", HOW_TO_NAME));
    }
    let mut command = Command::new("git");
    command.env("LC_ALL", "C").args(arguments);
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|error| refused(&reason(&error), "is git installed?"))?;
    if status.success() {
        return Ok(stdout);
    }
    let said = String::from_utf8_lossy(&stderr);
    let why = said.lines().next().unwrap_or("git does not know it");
    let why = why.trim_start_matches("fatal: ").trim_end_matches('.');
    Err(match why.to_lowercase() {
        why if why.starts_with("not a git repository") => {
            CliError::input(format!("there is no {object}"))
                .hint("name a template; revisions are for git repositories, and this is none")
        }
        why if why.contains("valid object name") => {
            let name = object.split(':').next().unwrap_or(object);
            CliError::input(format!("{name} is neither a file nor a revision")).hint(HOW_TO_NAME)
        }
        _ => refused(why, HOW_TO_NAME),
    })
}
