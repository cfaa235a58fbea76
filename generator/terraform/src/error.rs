//! Errors and remarks.

use stackgen_cfn::Span;
use thiserror::Error;

/// Error of an expression. It has no location: the attribute that contains the expression has one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub(crate) struct ExpressionError {
    /// The error.
    pub(crate) message: String,
    /// Advice.
    pub(crate) hint: Option<String>,
}

impl ExpressionError {
    /// Creates an error.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        ExpressionError {
            message: message.into(),
            hint: None,
        }
    }

    /// Adds advice.
    #[must_use]
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        ExpressionError {
            hint: Some(hint.into()),
            ..self
        }
    }
}

/// Error of a configuration, or a remark about what stackgen does not read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationProblem {
    /// Location.
    pub span: Span,
    /// Description of the problem.
    pub message: String,
    /// Advice.
    pub hint: Option<String>,
}

impl ConfigurationProblem {
    /// Creates a problem with a location.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        ConfigurationProblem {
            span,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds advice.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        ConfigurationProblem {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Creates the problem of an expression.
    pub(crate) fn of(span: Span, error: ExpressionError) -> Self {
        ConfigurationProblem {
            span,
            message: error.message,
            hint: error.hint,
        }
    }
}
