//! HTTP responses and errors.

use std::time::Duration;

use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use live_session_core::ports::{SessionRefusal, StoreError};
use live_session_core::sessions::SessionError;
use live_session_core::{EndError, RateLimitError};
use serde::Serialize;
use serde_json::json;
use tracing::error;

/// Response to a request.
#[derive(Debug)]
pub(super) struct ApiResponse {
    status: StatusCode,
    body: Option<String>,
    retry_after: Option<Duration>,
}

impl ApiResponse {
    pub(super) fn empty(status: StatusCode) -> Self {
        ApiResponse {
            status,
            body: None,
            retry_after: None,
        }
    }

    pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body);
        ApiResponse {
            status,
            body: Some(body.expect("keys are strings, and every value has a form in JSON")),
            retry_after: None,
        }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body.map_or(Body::Empty, Body::Text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if !matches!(self.status, StatusCode::NO_CONTENT) {
            let json = HeaderValue::from_static("application/json");
            headers.insert(header::CONTENT_TYPE, json);
        }
        // Each listener that joins or leaves changes the response.
        let no_store = HeaderValue::from_static("no-store");
        headers.insert(header::CACHE_CONTROL, no_store);
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs_f64().ceil().max(1.0) as u64;
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Reason to refuse a request.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    message: String,
    retry_after: Option<Duration>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        ApiError {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    pub(super) fn no_session() -> Self {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "NO_SESSION",
            "the session does not exist",
        )
    }

    fn unavailable(message: &str) -> Self {
        ApiError {
            retry_after: Some(Duration::from_secs(1)),
            ..ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
        }
    }
}

impl From<ApiError> for ApiResponse {
    fn from(error: ApiError) -> Self {
        let body = json!({ "error": { "code": error.code, "message": error.message } });
        ApiResponse {
            retry_after: error.retry_after,
            ..ApiResponse::json(error.status, &body)
        }
    }
}

/// Logs the reason and hides it from the client.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        error!(%error, "Table failed");
        ApiError::unavailable("the server failed: try again")
    }
}

impl From<SessionRefusal> for ApiError {
    fn from(refusal: SessionRefusal) -> Self {
        match refusal {
            SessionRefusal::NoSession => ApiError::no_session(),
            SessionRefusal::NotOwner => ApiError::new(
                StatusCode::FORBIDDEN,
                "NOT_OWNER",
                "the session belongs to another user",
            ),
            SessionRefusal::WrongStatus(status) => {
                let message = format!("the session is {}", status.public());
                ApiError::new(StatusCode::CONFLICT, "SESSION_NOT_ACTIVE", message)
            }
            // No route of the HTTP API admits listeners.
            SessionRefusal::Full | SessionRefusal::AddressFull => {
                ApiError::new(StatusCode::CONFLICT, "SESSION_FULL", "the session is full")
            }
        }
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Refused(refusal) => refusal.into(),
            SessionError::RateLimited(RateLimitError::Exceeded { retry_after }) => ApiError {
                retry_after: Some(retry_after),
                ..ApiError::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "TOO_OFTEN",
                    "too many requests",
                )
            },
            SessionError::RateLimited(RateLimitError::Unavailable(error))
            | SessionError::Store(error) => error.into(),
            SessionError::End(error) => error.into(),
            SessionError::NoRandomness(error) => {
                error!(%error, "No session ID");
                ApiError::unavailable("the server failed: try again")
            }
            SessionError::KeyReused => ApiError::new(
                StatusCode::CONFLICT,
                "KEY_REUSED",
                "the Idempotency-Key belongs to a request with another body",
            ),
            SessionError::NoFreeId => ApiError::unavailable("no unused session ID: try again"),
        }
    }
}

impl From<EndError> for ApiError {
    fn from(error: EndError) -> Self {
        match error {
            EndError::Refused(refusal) => refusal.into(),
            EndError::Store(error) => error.into(),
            EndError::Unfinished => {
                ApiError::unavailable("the session still has listeners: try again")
            }
        }
    }
}
