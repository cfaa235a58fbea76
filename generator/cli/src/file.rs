//! Files: read within limits, written whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::string::FromUtf8Error;

use tempfile::NamedTempFile;

use crate::error::CliError;
use crate::report::reason;

/// What is read, which says how long it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A stackgen.yaml.
    Spec,
    /// A CloudFormation or SAM template.
    Template,
}

impl Input {
    /// In bytes. CloudFormation itself takes templates up to 1 MB; SAM and CDK write longer ones.
    fn limit(self) -> u64 {
        match self {
            Input::Spec => 1024 * 1024,
            Input::Template => 8 * 1024 * 1024,
        }
    }

    fn hint_for_empty(self) -> &'static str {
        match self {
            Input::Spec => "`stackgen init echo --dir DIR` writes a small one to start from",
            Input::Template => "`stackgen synth` writes one",
        }
    }

    fn hint_for_nothing(self) -> &'static str {
        match self {
            Input::Spec => "`stackgen init` writes one; `--file` names another",
            Input::Template => "`stackgen synth` writes one",
        }
    }
}

/// Reads a text file. `-` is standard input, for a template.
pub(crate) fn read(path: &Path, input: Input) -> Result<String, CliError> {
    let bytes = if input == Input::Template && path == Path::new("-") {
        read_up_to(&mut io::stdin().lock(), path, input)?
    } else {
        read_file(path, input)?
    };
    text(bytes, path, input)
}

/// A path in a folder, without a `./` that nobody wrote.
pub(crate) fn within(folder: &Path, path: &str) -> PathBuf {
    match folder == Path::new(".") {
        true => PathBuf::from(path),
        false => folder.join(path),
    }
}

/// The name of an input in messages.
pub(crate) fn name(path: &Path) -> String {
    match path == Path::new("-") {
        true => "<stdin>".to_owned(),
        false => path.display().to_string(),
    }
}

fn read_file(path: &Path, input: Input) -> Result<Vec<u8>, CliError> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error, input))?;
    if metadata.is_dir() {
        let error = CliError::input(format!("{} is a folder, not a file", name(path)));
        let inside = path.join("stackgen.yaml");
        let hint = match input {
            Input::Spec if inside.is_file() => format!("did you mean {}?", inside.display()),
            Input::Spec => "`--file` takes the stackgen.yaml itself".to_owned(),
            Input::Template => "name the template itself".to_owned(),
        };
        return Err(error.hint(hint).file(path));
    }
    // Before a byte is read. A pipe has no length, and is stopped while reading.
    if metadata.len() > input.limit() {
        return Err(too_long(path, input));
    }
    let mut file = File::open(path).map_err(|error| unreadable(path, &error, input))?;
    read_up_to(&mut file, path, input)
}

fn read_up_to(reader: &mut impl Read, path: &Path, input: Input) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    reader
        .take(input.limit() + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error, input))?;
    if bytes.len() as u64 > input.limit() {
        return Err(too_long(path, input));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error, input: Input) -> CliError {
    let path_text = name(path);
    let failure = match error.kind() {
        io::ErrorKind::NotFound => {
            CliError::input(format!("there is no {path_text}")).hint(input.hint_for_nothing())
        }
        _ => CliError::input(format!("cannot read {path_text}: {}", reason(error)))
            .hint("check the path, and that you may read it"),
    };
    failure.file(path)
}

fn too_long(path: &Path, input: Input) -> CliError {
    let mebibytes = input.limit() / (1024 * 1024);
    CliError::input(format!("{} is longer than {mebibytes} MiB", name(path)))
        .hint(match input {
            Input::Spec => "a stackgen.yaml is written by hand; is this the right file?",
            Input::Template => {
                "CloudFormation takes templates of up to 1 MB; is this the right file?"
            }
        })
        .file(path)
}

/// Bytes as text, when there is some and it is UTF-8.
pub(crate) fn text(bytes: Vec<u8>, path: &Path, input: Input) -> Result<String, CliError> {
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))?;
    if text.trim().is_empty() {
        return Err(CliError::input(format!("{} is empty", name(path)))
            .hint(input.hint_for_empty())
            .file(path));
    }
    Ok(text)
}

fn not_utf8(path: &Path, error: &FromUtf8Error) -> CliError {
    let (bytes, good) = (error.as_bytes(), error.utf8_error().valid_up_to());
    let message = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => format!("{} is UTF-16", name(path)),
        _ => {
            let line = bytes[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
            let byte = good + 1;
            format!("{} is not UTF-8: byte {byte}, on line {line}", name(path))
        }
    };
    CliError::input(message).hint("save it as UTF-8").file(path)
}

/// What became of a file that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is new, or its bytes were others.
    Wrote,
    /// It held these bytes already, and was not touched.
    Unchanged,
}

/// Puts files in place: each one whole by a rename, and none before all of them could be written to the disk.
pub(crate) fn write_all(files: &[(PathBuf, String)]) -> Result<Vec<Written>, CliError> {
    let mut staged = Vec::new();
    for (path, text) in files {
        let same = fs::read(path).is_ok_and(|old| old == text.as_bytes());
        let file = match same {
            true => None,
            false => Some(stage(path, text).map_err(|error| unwritable(path, &error))?),
        };
        staged.push((path, file));
    }
    let mut written = Vec::new();
    for (path, file) in staged {
        written.push(match file {
            None => Written::Unchanged,
            Some((file, target)) => {
                file.persist(target)
                    .map_err(|error| unwritable(path, &error.error))?;
                Written::Wrote
            }
        });
    }
    Ok(written)
}

/// Puts new files in place, or none when one of them exists.
pub(crate) fn create_all(files: &[(PathBuf, String)]) -> Result<(), CliError> {
    let mut staged = Vec::new();
    for (path, text) in files {
        staged.push((
            path,
            stage(path, text).map_err(|error| unwritable(path, &error))?,
        ));
    }
    let mut created: Vec<&Path> = Vec::new();
    for (path, (file, target)) in staged {
        if let Err(error) = file.persist_noclobber(target) {
            // Whoever came in between keeps what they wrote; what we wrote goes again.
            for path in created {
                let _ = fs::remove_file(path);
            }
            return Err(unwritable(path, &error.error));
        }
        created.push(path);
    }
    Ok(())
}

/// The text in a temporary file beside its target, and the target. A link is followed, so that it stays a link.
fn stage(path: &Path, text: &str) -> io::Result<(NamedTempFile, PathBuf)> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if target.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let folder = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".stackgen-");
    if let Some(permissions) = permissions(&target) {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    Ok((file, target))
}

/// Those of the file that is replaced, otherwise what the umask leaves of 0666: a temporary file alone would be 0600.
#[cfg(unix)]
fn permissions(target: &Path) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    let existing = fs::metadata(target)
        .ok()
        .map(|metadata| metadata.permissions());
    Some(existing.unwrap_or_else(|| Permissions::from_mode(0o666)))
}

#[cfg(not(unix))]
fn permissions(_target: &Path) -> Option<Permissions> {
    None
}

fn unwritable(path: &Path, error: &io::Error) -> CliError {
    let message = format!("cannot write {}: {}", path.display(), reason(error));
    CliError::input(message)
        .hint("is the folder one that you may write to? `--out` and `--dir` name another")
        .file(path)
}

/// The way from one folder to another, with `/`, for folders that need not exist yet: `.` or `../..`.
pub(crate) fn way(from: &Path, to: &Path) -> io::Result<String> {
    let (from, to) = (resolve(from)?, resolve(to)?);
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to
        .components()
        .skip(shared)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let steps: Vec<String> = up.chain(down).collect();
    Ok(if steps.is_empty() {
        ".".to_owned()
    } else {
        steps.join("/")
    })
}

/// An absolute path without links as far as it exists, and without `..` beyond.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            part => resolved.push(part),
        }
        if let Ok(real) = fs::canonicalize(&resolved) {
            resolved = real;
        }
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_between_folders_that_do_not_exist_is_found() {
        let root = tempfile::tempdir().unwrap();
        let way =
            |from: &str, to: &str| way(&root.path().join(from), &root.path().join(to)).unwrap();
        assert_eq!(way("out/dev", "."), "../..");
        assert_eq!(way("out/dev", "templates/echo"), "../../templates/echo");
        assert_eq!(way("a", "a"), ".");
        assert_eq!(way("a/../b", "b/c"), "c");
    }

    #[test]
    fn a_file_that_cannot_be_staged_keeps_the_others_unwritten() {
        let root = tempfile::tempdir().unwrap();
        let (good, bad) = (root.path().join("good"), root.path().join("file/bad"));
        fs::write(root.path().join("file"), "").unwrap();
        let files = [(good.clone(), "text".to_owned()), (bad, "text".to_owned())];
        assert!(write_all(&files).is_err());
        assert!(!good.exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_replaced_file_keeps_its_mode_and_a_link_stays_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let root = tempfile::tempdir().unwrap();
        let (file, link) = (root.path().join("file"), root.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let written = write_all(&[(link.clone(), "new".to_owned())]).unwrap();
        assert_eq!(written, [Written::Wrote]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn an_equal_file_is_not_touched() {
        let root = tempfile::tempdir().unwrap();
        let files = [(root.path().join("a/b/file"), "text".to_owned())];
        assert_eq!(write_all(&files).unwrap(), [Written::Wrote]);
        assert_eq!(write_all(&files).unwrap(), [Written::Unchanged]);
    }
}
