//! Refused handshakes.

use std::time::SystemTime;

use http::StatusCode;
use serde_json::json;
use stackgen_gateway_common::FailureEvidence;

use super::failure::IntegrationFailure;
use super::payloads::EventType;

/// Answer to a refused handshake. Browsers hide it from the page (row X2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WebSocketRefusal {
    /// Status of the answer.
    pub(super) status: u16,
    /// `message` in the body.
    pub(super) message: String,
    /// Reason in words, for the user of the local gateway. Clients do not get it.
    pub(super) reason: String,
    /// Row of the reference.
    pub(super) row: &'static str,
    /// Evidence of the function that failed.
    pub(super) evidence: Option<Box<FailureEvidence>>,
    /// Additional headers, each with a line break.
    headers: &'static str,
}

impl WebSocketRefusal {
    /// Creates a refusal.
    pub(super) fn new(
        status: u16,
        message: impl Into<String>,
        reason: impl Into<String>,
        row: &'static str,
    ) -> Self {
        WebSocketRefusal {
            status,
            message: message.into(),
            reason: reason.into(),
            row,
            evidence: None,
            headers: "",
        }
    }

    pub(super) fn bad_request(message: impl Into<String>, row: &'static str) -> Self {
        let message = message.into();
        WebSocketRefusal::new(400, message.clone(), message, row)
    }

    /// Refuses a WebSocket version other than 13 (RFC 6455, sections 4.2.2 and 4.4).
    pub(super) fn unsupported_version() -> Self {
        let reason = "Bad handshake: Sec-WebSocket-Version is not 13";
        WebSocketRefusal {
            headers: "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            ..WebSocketRefusal::new(426, "Upgrade Required", reason, "C1")
        }
    }

    pub(super) fn unauthorized(reason: impl Into<String>, row: &'static str) -> Self {
        WebSocketRefusal::new(401, "Unauthorized", reason, row)
    }

    pub(super) fn forbidden(reason: impl Into<String>, row: &'static str) -> Self {
        WebSocketRefusal::new(403, "Forbidden", reason, row)
    }

    pub(super) fn internal(reason: impl Into<String>, row: &'static str) -> Self {
        WebSocketRefusal::new(500, "Internal server error", reason, row)
    }

    /// Maps the failure of the `$connect` integration.
    pub(super) fn from_failure(failure: IntegrationFailure) -> Self {
        let response = failure.kind.response(EventType::Connect);
        WebSocketRefusal::new(
            response.status,
            response.message,
            failure.reason,
            response.row,
        )
        .with_evidence(failure.evidence)
    }

    /// Sets the evidence of the function that failed.
    pub(super) fn with_evidence(self, evidence: Option<Box<FailureEvidence>>) -> Self {
        WebSocketRefusal { evidence, ..self }
    }

    /// Refuses with the status that the `$connect` integration returned (row C5). Its body is not sent (row C9).
    pub(super) fn from_status(status: u16) -> Self {
        let phrase = StatusCode::from_u16(status).ok();
        let phrase = phrase.and_then(|it| it.canonical_reason());
        let reason = format!("the $connect integration answered {status}");
        WebSocketRefusal::new(status, phrase.unwrap_or_default(), reason, "C5")
    }

    /// Renders the response.
    pub(super) fn render(&self, connection_id: &str, request_id: &str) -> String {
        let body = json!({
            "message": self.message,
            "connectionId": connection_id,
            "requestId": request_id,
        })
        .to_string();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error_type = match self.status {
            400 => "x-amzn-errortype: BadRequestException\r\n",
            401 => "x-amzn-errortype: UnauthorizedException\r\n",
            403 => "x-amzn-errortype: ForbiddenException\r\n",
            429 => "x-amzn-errortype: TooManyRequestsException\r\n",
            500 => "x-amzn-errortype: InternalServerErrorException\r\n",
            _ => "",
        };
        format!(
            "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\nx-amzn-RequestId: {request_id}\r\n{error_type}{}\r\n{body}",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default(),
            httpdate::fmt_http_date(SystemTime::now()),
            body.len(),
            self.headers,
        )
    }
}
