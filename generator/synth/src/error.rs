//! What is wrong with a stackgen.yaml, and what is worth knowing about a good one.

use serde::Serialize;
use stackgen_cfn::{ParseError, Span};
use thiserror::Error;

/// One error of a stackgen.yaml: what, where, why and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct LocatedError {
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// Where.
    pub span: Span,
    /// A second place that explains the first, with what stands there.
    pub related: Option<(Span, String)>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The row of the API Gateway reference that it rests on, such as `A2`.
    pub row: Option<&'static str>,
}

impl LocatedError {
    /// An error at a place.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        LocatedError {
            message: message.into(),
            span,
            related: None,
            hint: None,
            row: None,
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the reference row that it rests on.
    #[must_use]
    pub fn row(mut self, row: &'static str) -> Self {
        self.row = Some(row);
        self
    }

    /// Points at a second place.
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

/// Something to know about a template that was rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// A stable name, for machines: `not-built`, `frozen-parameter`, `account-role`.
    pub code: &'static str,
    /// What, in a sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
