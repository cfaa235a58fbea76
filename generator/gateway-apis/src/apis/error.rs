//! Errors of the API Gateway control plane.

use thiserror::Error;

/// Error with the kind and the message of the control plane's answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind:?}: {message}")]
pub struct ApiError {
    /// Kind of error.
    pub kind: ApiErrorKind,
    /// Message for users.
    pub message: String,
}

/// Errors that apigatewayv2 declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiErrorKind {
    /// `BadRequestException`, 400.
    BadRequest,
    /// `NotFoundException`, 404.
    NotFound,
    /// `ConflictException`, 409 (rows D13, D14).
    Conflict,
    /// `TooManyRequestsException`, 429 (row D15).
    TooManyRequests,
}

impl ApiError {
    /// Creates an error for a request that is not valid.
    pub fn bad_request(message: impl Into<String>) -> Self {
        ApiError {
            kind: ApiErrorKind::BadRequest,
            message: message.into(),
        }
    }

    /// Creates an error for a resource that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        ApiError {
            kind: ApiErrorKind::NotFound,
            message: message.into(),
        }
    }

    /// Creates an error for a resource that exists already or is in use.
    pub fn conflict(message: impl Into<String>) -> Self {
        ApiError {
            kind: ApiErrorKind::Conflict,
            message: message.into(),
        }
    }

    /// Creates an error for a call that exceeds the rate limit (row D15).
    pub fn too_many_requests(message: impl Into<String>) -> Self {
        ApiError {
            kind: ApiErrorKind::TooManyRequests,
            message: message.into(),
        }
    }
}
