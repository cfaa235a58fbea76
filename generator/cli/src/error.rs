//! Errors of commands, their exit codes, and their form in the output of `--json`.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use stackgen_cfn::{Sources, Span};
use stackgen_synth::LocatedError;

use crate::outcome::CommandOutcome;

/// Failure of a command: one problem, or all problems of a file.
#[derive(Debug)]
pub(crate) struct CliError {
    kind: ErrorKind,
    /// Problems, at least one.
    pub(crate) problems: Vec<CliProblem>,
    /// Files that the spans of the problems point into.
    pub(crate) sources: Sources,
}

/// Kind of a failure, which determines the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    /// The operation failed: exit code 1.
    Failed,
    /// Bad usage or bad input: exit code 2.
    Input,
}

/// A problem, and its file if the problem has no span.
#[derive(Debug)]
pub(crate) struct CliProblem {
    /// Message, span, reason and hint.
    pub(crate) problem: LocatedError,
    /// File that could not be read or written.
    pub(crate) file: Option<String>,
}

impl CliError {
    /// Creates an error of an operation that failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::plain(ErrorKind::Failed, message)
    }

    /// Creates an error of a result that could not be printed.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        let reason = reason(error);
        Self::failed(format!("cannot write to standard output: {reason}"))
    }

    /// Creates an error of bad usage or bad input.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::plain(ErrorKind::Input, message)
    }

    /// Creates an error of all problems of a file.
    pub(crate) fn located<P: Into<LocatedError>>(
        sources: &Sources,
        problems: impl IntoIterator<Item = P>,
    ) -> Self {
        let problem = |problem: P| CliProblem {
            problem: problem.into(),
            file: None,
        };
        CliError {
            kind: ErrorKind::Input,
            problems: problems.into_iter().map(problem).collect(),
            sources: sources.clone(),
        }
    }

    /// Joins errors into one that reports all their problems; `None` without errors. Bad input determines the exit code.
    pub(crate) fn all(errors: Vec<CliError>) -> Option<Self> {
        let is_input = errors.iter().any(|error| error.kind == ErrorKind::Input);
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        for error in errors {
            first.problems.extend(error.problems);
        }
        if is_input {
            first.kind = ErrorKind::Input;
        }
        Some(first)
    }

    fn plain(kind: ErrorKind, message: impl Into<String>) -> Self {
        CliError {
            kind,
            problems: vec![CliProblem {
                problem: LocatedError::new(Span::default(), message),
                file: None,
            }],
            sources: Sources::new(),
        }
    }

    /// Adds a hint: what to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        for problem in &mut self.problems {
            problem.problem.hint = Some(hint.clone());
        }
        self
    }

    /// Adds the file that could not be read or written.
    #[must_use]
    pub(crate) fn file(mut self, path: &Path) -> Self {
        for problem in &mut self.problems {
            problem.file = Some(path.display().to_string());
        }
        self
    }

    /// Returns the exit code: 1 or 2.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind {
            ErrorKind::Failed => ExitCode::from(1),
            ErrorKind::Input => ExitCode::from(2),
        }
    }

    /// Returns the outcome with the same exit code, for a command that reported the error itself.
    pub(crate) fn outcome(&self) -> CommandOutcome {
        match self.kind {
            ErrorKind::Failed => CommandOutcome::Failed,
            ErrorKind::Input => CommandOutcome::Unusable,
        }
    }

    /// Returns the error in the form of `--json`.
    pub(crate) fn to_json(&self) -> JsonErrors<'_> {
        let errors = self
            .problems
            .iter()
            .map(|problem| JsonError::new(problem, &self.sources));
        JsonErrors {
            errors: errors.collect(),
        }
    }
}

impl From<clap::Error> for CliError {
    fn from(error: clap::Error) -> Self {
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let message = text.split("\n\n").next().unwrap_or(text);
        let tip = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("tip: "));
        CliError::input(message).hint(tip.unwrap_or("see `stackgen --help`"))
    }
}

/// A failure in the output of `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct JsonErrors<'a> {
    errors: Vec<JsonError<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonError<'a> {
    message: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    hint: Option<&'a str>,
    row: Option<&'a str>,
    related: Option<JsonRelated<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonRelated<'a> {
    message: &'a str,
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
}

impl<'a> JsonError<'a> {
    fn new(error: &'a CliProblem, sources: &'a Sources) -> Self {
        let problem = &error.problem;
        let location = sources.location(problem.span);
        let related = problem.related.as_ref().map(|(span, message)| {
            let location = sources.location(*span);
            JsonRelated {
                message,
                file: location.map(|l| l.file),
                line: location.map(|l| l.line),
                column: location.map(|l| l.column),
            }
        });
        JsonError {
            message: &problem.message,
            file: location.map(|l| l.file).or(error.file.as_deref()),
            line: location.map(|l| l.line),
            column: location.map(|l| l.column),
            end_line: end_line(sources, problem.span),
            hint: problem.hint.as_deref(),
            row: problem.row,
            related,
        }
    }
}

fn end_line(sources: &Sources, span: Span) -> Option<u32> {
    let text = sources.get(span.file?)?.text();
    let excerpt = text.get(span.start as usize..span.end as usize)?;
    let breaks = excerpt.trim_end().matches('\n').count();
    Some(span.line + u32::try_from(breaks).ok()?)
}

/// Returns why an operation of the system failed, as part of a sentence.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => "unknown error".to_owned(),
    }
}
