//! Errors with a location, and notices about rendered templates.

use serde::Serialize;
use stackgen_cfn::{ParseError, Span};
use thiserror::Error;

/// Error at a location in a source file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct LocatedError {
    /// Message, without a full stop.
    pub message: String,
    /// Location of the error.
    pub span: Span,
    /// Second location that explains the first, with a label.
    pub related: Option<(Span, String)>,
    /// Hint, in the imperative.
    pub hint: Option<String>,
    /// Row of the API Gateway reference that the error rests on, such as `A2`.
    pub row: Option<&'static str>,
}

impl LocatedError {
    /// Creates an error at a location.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        LocatedError {
            message: message.into(),
            span,
            related: None,
            hint: None,
            row: None,
        }
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the reference row.
    #[must_use]
    pub fn row(mut self, row: &'static str) -> Self {
        self.row = Some(row);
        self
    }

    /// Sets the second location.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }
}

impl From<ParseError> for LocatedError {
    fn from(error: ParseError) -> Self {
        LocatedError {
            message: error.kind.to_string(),
            span: error.span,
            related: error.related.map(|span| (span, "first here".to_owned())),
            hint: error.kind.hint(),
            row: None,
        }
    }
}

/// Notice about a rendered template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Stable identifier: `not-built`, `frozen-parameter` or `account-role`.
    pub code: &'static str,
    /// Message, without a full stop.
    pub message: String,
    /// Hint, in the imperative.
    pub hint: Option<String>,
}
