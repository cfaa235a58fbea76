//! Why Lambda refuses a change.

use std::io;

use thiserror::Error;

/// A refusal, with the words and the kind that the control plane answers with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FunctionError {
    /// Which of the service's errors.
    pub kind: FunctionErrorKind,
    /// What a person reads.
    pub message: String,
}

/// Lambda's errors, as far as they can happen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionErrorKind {
    /// `ResourceNotFoundException`, 404.
    NotFound,
    /// `ResourceConflictException`, 409.
    Conflict,
    /// `InvalidParameterValueException`, 400.
    InvalidParameter,
    /// `PreconditionFailedException`, 412: the revision id or the code's digest is another.
    PreconditionFailed,
    /// `ServiceException`, 500: a file of this machine could not be read or written.
    Service,
}

impl FunctionError {
    pub(crate) fn new(kind: FunctionErrorKind, message: impl Into<String>) -> Self {
        FunctionError {
            kind,
            message: message.into(),
        }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        FunctionError::new(FunctionErrorKind::NotFound, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        FunctionError::new(FunctionErrorKind::Conflict, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        FunctionError::new(FunctionErrorKind::InvalidParameter, message)
    }

    /// A file could not be read or written.
    pub(crate) fn file(what: impl std::fmt::Display, error: &io::Error) -> Self {
        FunctionError::new(FunctionErrorKind::Service, format!("{what}: {error}"))
    }
}
