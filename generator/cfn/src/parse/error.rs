//! What can be wrong with a document.

use thiserror::Error;

use crate::Span;

/// One thing wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Where.
    pub span: Span,
    /// A second place that explains the first, such as the first of two equal keys.
    pub related: Option<Span>,
}

/// The kinds of error.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseErrorKind {
    /// The text is neither YAML nor JSON.
    #[error("{0}")]
    Syntax(String),
}

impl ParseErrorKind {
    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        None
    }
}
