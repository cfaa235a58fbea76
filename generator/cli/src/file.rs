//! Files: read within limits.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::string::FromUtf8Error;

use stackgen_cfn::{Sources, Span};
use stackgen_synth::Problem;

use crate::bounded::{self, ReadError};
use crate::error::CliError;

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
    pub(crate) fn limit(self) -> u64 {
        match self {
            Input::Spec => bounded::MEBIBYTE,
            Input::Template => stackgen_cfn::parse::MAX_BYTES as u64,
        }
    }

    fn hint_for_empty(self) -> &'static str {
        match self {
            Input::Spec => "`stackgen init echo --out DIR` writes a small one to start from",
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
    let bytes = match input {
        Input::Template if path == Path::new("-") => {
            bounded::read_stream(&mut io::stdin().lock(), input.limit())
        }
        Input::Spec if path == Path::new("-") => {
            let message = "stackgen.yaml is read from a file, not from standard input";
            return Err(CliError::input(message).hint("`--file` takes its path"));
        }
        _ => bounded::read(path, input.limit()),
    };
    text(
        bytes.map_err(|error| unreadable(path, &error, input))?,
        path,
        input,
    )
}

/// A file's text; `None` for what is no regular file, too long to be of that kind, or not text at all.
pub(crate) fn read_if_text(path: &Path, input: Input) -> Result<Option<String>, CliError> {
    match bounded::read(path, input.limit()) {
        Ok(bytes) => Ok(String::from_utf8(bytes).ok()),
        Err(ReadError::NotRegular(_) | ReadError::TooLong(_)) => Ok(None),
        Err(error @ ReadError::Io(_)) => Err(unreadable(path, &error, input)),
    }
}

/// A path in a folder, without a `./` that nobody wrote.
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

/// The name of an input in messages.
pub(crate) fn name(path: &Path) -> String {
    match path == Path::new("-") {
        true => "<stdin>".to_owned(),
        false => path.display().to_string(),
    }
}

fn unreadable(path: &Path, error: &ReadError, input: Input) -> CliError {
    let name = name(path);
    let failure = match error {
        ReadError::NotRegular("a folder") => {
            let inside = path.join("stackgen.yaml");
            let hint = match input {
                Input::Spec if inside.is_file() => format!("did you mean {}?", inside.display()),
                Input::Spec => "`--file` takes the stackgen.yaml itself".to_owned(),
                Input::Template => "name the template itself".to_owned(),
            };
            CliError::input(format!("{name} is a folder, not a file")).hint(hint)
        }
        ReadError::NotRegular(kind) => {
            CliError::input(format!("{name} is {kind}, not a regular file")).hint(match input {
                Input::Spec => "`--file` takes the path of a stackgen.yaml",
                Input::Template => "name a file; `-` reads a template from standard input",
            })
        }
        ReadError::TooLong(limit) => {
            let mebibytes = limit / bounded::MEBIBYTE;
            CliError::input(format!("{name} is longer than {mebibytes} MiB")).hint(match input {
                Input::Spec => "a stackgen.yaml is written by hand; is this the right file?",
                Input::Template => {
                    "CloudFormation takes templates of up to 1 MB; is this the right file?"
                }
            })
        }
        ReadError::Io(_) if error.is_not_found() => {
            CliError::input(format!("there is no {name}")).hint(input.hint_for_nothing())
        }
        ReadError::Io(_) => CliError::input(format!("cannot read {name}: {error}"))
            .hint("check the path, and that you may read it"),
    };
    failure.file(path)
}

/// What stands for an input that has more bytes than its kind may have.
pub(crate) fn too_long(path: &Path, input: Input) -> CliError {
    unreadable(path, &ReadError::TooLong(input.limit()), input)
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
    let bytes = error.as_bytes();
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = bytes {
        return CliError::input(format!("{} is UTF-16", name(path)))
            .hint("save it as UTF-8")
            .file(path);
    }
    let readable = String::from_utf8_lossy(bytes);
    // Up to here the two texts are the same.
    let good = error.utf8_error().valid_up_to();
    let line_start = readable[..good].rfind('\n').map_or(0, |at| at + 1);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut sources = Sources::new();
    let file = sources.add(name(path), readable.as_ref()).id();
    let span = Span {
        file: Some(file),
        start: number(good),
        end: number(good + char::REPLACEMENT_CHARACTER.len_utf8()),
        line: number(readable[..good].matches('\n').count() + 1),
        column: number(readable[line_start..good].chars().count() + 1),
    };
    let problem = Problem::new(span, "this is not UTF-8").hint("save the file as UTF-8");
    CliError::located(&sources, [problem])
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
}
