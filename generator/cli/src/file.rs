//! Reads of project files and templates, and paths.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::string::FromUtf8Error;

use stackgen_cfn::{Sources, Span};
use stackgen_synth::LocatedError;

use crate::bounded::{self, ReadError};
use crate::error::CliError;

/// Kind of a file, which determines its maximum length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputFile {
    /// A stackgen.yaml.
    Project,
    /// A CloudFormation or SAM template.
    Template,
    /// A plan of `stackgen deploy --plan-out`.
    Plan,
    /// A policy of a stack.
    StackPolicy,
    /// A recording of connections.
    Recording,
}

impl InputFile {
    /// Returns the maximum length in bytes. CloudFormation accepts templates of up to 1 MB; SAM and CDK write longer ones.
    pub(crate) fn limit(self) -> u64 {
        match self {
            InputFile::Project | InputFile::Plan | InputFile::StackPolicy => bounded::MEBIBYTE,
            InputFile::Template => stackgen_cfn::parse::MAX_BYTES as u64,
            InputFile::Recording => 64 * bounded::MEBIBYTE,
        }
    }

    fn hint_for_empty(self) -> &'static str {
        match self {
            InputFile::Project => "create a small project with `stackgen init echo --out DIR`",
            InputFile::Template => "render one with `stackgen synth`",
            InputFile::Plan => "make one with `stackgen deploy --plan-out FILE`",
            InputFile::StackPolicy => {
                "write a stack policy in JSON, as CloudFormation's documentation shows"
            }
            InputFile::Recording => RECORDING_HINT,
        }
    }

    fn hint_for_missing(self) -> &'static str {
        match self {
            InputFile::Project => "create one with `stackgen init`, or name another with `--file`",
            InputFile::Template => "render one with `stackgen synth`",
            InputFile::Plan => "make one with `stackgen deploy --plan-out FILE`",
            InputFile::StackPolicy => {
                "write a stack policy in JSON, as CloudFormation's documentation shows"
            }
            InputFile::Recording => RECORDING_HINT,
        }
    }
}

const RECORDING_HINT: &str =
    "record one with `stackgen dev --record FILE` or `stackgen probe --record FILE`";

/// Reads a text file. For a template, `-` is standard input.
pub(crate) fn read(path: &Path, input: InputFile) -> Result<String, CliError> {
    let bytes = match input {
        InputFile::Template if path == Path::new("-") => {
            bounded::read_stream(&mut io::stdin().lock(), input.limit())
        }
        InputFile::Project if path == Path::new("-") => {
            let message = "stackgen.yaml cannot be read from standard input";
            return Err(CliError::input(message).hint("give its path with `--file`"));
        }
        _ => bounded::read(path, input.limit()),
    };
    text(
        bytes.map_err(|error| unreadable(path, &error, input))?,
        path,
        input,
    )
}

/// Reads a text file; `None` if it is not a regular file, too long for its kind, or not UTF-8.
pub(crate) fn read_if_text(path: &Path, input: InputFile) -> Result<Option<String>, CliError> {
    match bounded::read(path, input.limit()) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
        Err(ReadError::NotRegular(_) | ReadError::TooLong(_)) => Ok(None),
        Err(error @ ReadError::Io(_)) => Err(unreadable(path, &error, input)),
    }
}

/// Joins a path to a folder, without adding `./` for the current folder.
pub(crate) fn within(folder: &Path, path: &str) -> PathBuf {
    match folder == Path::new(".") {
        true => PathBuf::from(path),
        false => folder.join(path),
    }
}

/// Returns the folder of a file; `.` if the path is a bare name.
pub(crate) fn parent(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Returns the name of a file for messages.
pub(crate) fn name(path: &Path) -> String {
    match path == Path::new("-") {
        true => "<stdin>".to_owned(),
        false => path.display().to_string(),
    }
}

fn unreadable(path: &Path, error: &ReadError, input: InputFile) -> CliError {
    let name = name(path);
    let failure = match error {
        ReadError::NotRegular("a folder") => {
            let inside = path.join("stackgen.yaml");
            let hint = match input {
                InputFile::Project if inside.is_file() => {
                    format!("did you mean {}?", inside.display())
                }
                InputFile::Project => "name the stackgen.yaml itself".to_owned(),
                InputFile::Template => "name the template itself".to_owned(),
                InputFile::Plan => "name the plan itself".to_owned(),
                InputFile::StackPolicy => "name the policy itself".to_owned(),
                InputFile::Recording => "name the recording itself".to_owned(),
            };
            CliError::input(format!("{name} is a folder, not a file")).hint(hint)
        }
        ReadError::NotRegular(kind) => {
            CliError::input(format!("{name} is {kind}, not a regular file")).hint(match input {
                InputFile::Project => "name the path of a stackgen.yaml with `--file`",
                InputFile::Template => "name a file, or `-` for standard input",
                InputFile::Plan => "name the file of a plan",
                InputFile::StackPolicy => "name the file of a stack policy",
                InputFile::Recording => "name the file of a recording",
            })
        }
        ReadError::TooLong(limit) => {
            let mebibytes = limit / bounded::MEBIBYTE;
            CliError::input(format!("{name} is longer than {mebibytes} MiB")).hint(match input {
                InputFile::Project => "check that this is the right file: a stackgen.yaml is written by hand",
                InputFile::Template => {
                    "check that this is the right file: CloudFormation takes templates of up to 1 MB"
                }
                InputFile::Plan => "check that this is the right file: a plan is short",
                InputFile::StackPolicy => {
                    "check that this is the right file: CloudFormation takes stack policies of up to 16 KB"
                }
                InputFile::Recording => "record fewer messages",
            })
        }
        ReadError::Io(_) if error.is_not_found() => {
            CliError::input(format!("there is no {name}")).hint(input.hint_for_missing())
        }
        ReadError::Io(_) => CliError::input(format!("cannot read {name}: {error}"))
            .hint("check the path, and that you may read it"),
    };
    failure.file(path)
}

/// Creates the error of a file that is too long for its kind.
pub(crate) fn too_long(path: &Path, input: InputFile) -> CliError {
    unreadable(path, &ReadError::TooLong(input.limit()), input)
}

/// Decodes a file, which must be UTF-8 and not empty.
pub(crate) fn text(bytes: Vec<u8>, path: &Path, input: InputFile) -> Result<String, CliError> {
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))?;
    if text.trim().is_empty() {
        return Err(CliError::input(format!("{} is empty", name(path)))
            .hint(input.hint_for_empty())
            .file(path));
    }
    Ok(text)
}

fn not_utf8(path: &Path, error: &FromUtf8Error) -> CliError {
    let bytes = error.as_bytes();
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        return CliError::input(format!("{} is UTF-16", name(path)))
            .hint("save it as UTF-8")
            .file(path);
    }
    let readable = String::from_utf8_lossy(bytes);
    // Up to this byte, both texts are equal.
    let valid = error.utf8_error().valid_up_to();
    let line_start = readable[..valid].rfind('\n').map_or(0, |at| at + 1);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut sources = Sources::new();
    let file = sources.add(name(path), readable.as_ref()).id();
    let span = Span {
        file: Some(file),
        start: number(valid),
        end: number(valid + char::REPLACEMENT_CHARACTER.len_utf8()),
        line: number(readable[..valid].matches('\n').count() + 1),
        column: number(readable[line_start..valid].chars().count() + 1),
    };
    let problem = LocatedError::new(span, "this is not UTF-8").hint("save the file as UTF-8");
    CliError::located(&sources, [problem])
}

/// Returns the path from one folder to another, with `/`: `.` or `../..`. The folders need not exist.
pub(crate) fn relative_path(from: &Path, to: &Path) -> io::Result<String> {
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

/// Returns an absolute path without `..`, and without links as far as it exists.
pub(crate) fn resolve(path: &Path) -> io::Result<PathBuf> {
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
    fn relative_paths_between_folders_that_do_not_exist() {
        let root = tempfile::tempdir().unwrap();
        let path = |from: &str, to: &str| {
            relative_path(&root.path().join(from), &root.path().join(to)).unwrap()
        };
        assert_eq!(path("out/dev", "."), "../..");
        assert_eq!(path("out/dev", "templates/echo"), "../../templates/echo");
        assert_eq!(path("a", "a"), ".");
        assert_eq!(path("a/../b", "b/c"), "c");
    }
}
