//! Error responses of API Gateway itself.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

/// Error response that does not come from a function.
#[derive(Debug)]
pub(super) struct HttpRefusal {
    pub(super) status: StatusCode,
    pub(super) message: &'static str,
    /// Reason for the user of the local gateway. Clients do not get it.
    pub(super) reason: String,
    /// Value of `WWW-Authenticate`.
    pub(super) challenge: Option<String>,
    /// True if the authorizer caused the error, for `$context.authorizer.error`.
    pub(super) from_authorizer: bool,
}

impl HttpRefusal {
    fn new(status: StatusCode, message: &'static str, reason: impl Into<String>) -> Self {
        HttpRefusal {
            status,
            message,
            reason: reason.into(),
            challenge: None,
            from_authorizer: false,
        }
    }

    pub(super) fn not_found(reason: &str) -> Self {
        HttpRefusal::new(StatusCode::NOT_FOUND, "Not Found", reason)
    }

    pub(super) fn too_large() -> Self {
        let (status, message) = (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        HttpRefusal::new(
            status,
            message,
            "the body is over 10 MB, or too large for the function",
        )
    }

    pub(super) fn too_many() -> Self {
        let reason = "the stage or the route throttles requests";
        HttpRefusal::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", reason)
    }

    pub(super) fn unauthorized(reason: impl Into<String>) -> Self {
        let refusal = HttpRefusal::new(StatusCode::UNAUTHORIZED, "Unauthorized", reason);
        refusal.by_authorizer()
    }

    pub(super) fn forbidden(reason: impl Into<String>) -> Self {
        let refusal = HttpRefusal::new(StatusCode::FORBIDDEN, "Forbidden", reason);
        refusal.by_authorizer()
    }

    pub(super) fn internal(reason: impl Into<String>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        HttpRefusal::new(status, "Internal Server Error", reason)
    }

    pub(super) fn unavailable(reason: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        HttpRefusal::new(status, "Service Unavailable", reason)
    }

    #[must_use]
    pub(super) fn by_authorizer(self) -> Self {
        HttpRefusal {
            from_authorizer: true,
            ..self
        }
    }

    #[must_use]
    pub(super) fn with_challenge(self, challenge: String) -> Self {
        HttpRefusal {
            challenge: Some(challenge),
            ..self
        }
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let body = format!(r#"{{"message":"{}"}}"#, self.message);
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let challenge = self.challenge.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(challenge)) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
