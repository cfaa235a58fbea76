//! Errors of Lambda's control plane.

use std::io;

use thiserror::Error;

/// Error with the kind and the message that the control plane answers with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FunctionError {
    /// Lambda's error type.
    pub kind: FunctionErrorKind,
    /// Message for people.
    pub message: String,
}

/// Lambda's error types that the local Lambda can return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionErrorKind {
    /// `ResourceNotFoundException`, 404.
    NotFound,
    /// `ResourceConflictException`, 409.
    Conflict,
    /// `InvalidParameterValueException`, 400.
    InvalidParameter,
    /// `PreconditionFailedException`, 412: the revision ID does not match.
    PreconditionFailed,
    /// `ServiceException`, 500: a file on this machine could not be read or written.
    Service,
}

impl FunctionError {
    pub(super) fn random() -> Self {
        let message = "the system's random number generator failed";
        FunctionError::new(FunctionErrorKind::Service, message)
    }

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

    /// Creates the error for a file that could not be read or written.
    pub(crate) fn file(what: impl std::fmt::Display, error: &io::Error) -> Self {
        FunctionError::new(FunctionErrorKind::Service, format!("{what}: {error}"))
    }
}
