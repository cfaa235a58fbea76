//! Why API Gateway refuses a change.

use thiserror::Error;

/// A refusal, with the words and the kind that the control plane answers with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind:?}: {message}")]
pub struct ApiError {
    /// Which of the service's errors.
    pub kind: ApiErrorKind,
    /// What a person reads.
    pub message: String,
}

/// The errors that apigatewayv2 declares.
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
    /// What was asked for makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        ApiError {
            kind: ApiErrorKind::BadRequest,
            message: message.into(),
        }
    }

    /// There is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        ApiError {
            kind: ApiErrorKind::NotFound,
            message: message.into(),
        }
    }

    /// There is such a thing already, or it is in use.
    pub fn conflict(message: impl Into<String>) -> Self {
        ApiError {
            kind: ApiErrorKind::Conflict,
            message: message.into(),
        }
    }

    /// Too much was asked in too short a time (row D15).
    pub fn too_many_requests(message: impl Into<String>) -> Self {
        ApiError {
            kind: ApiErrorKind::TooManyRequests,
            message: message.into(),
        }
    }
}
