//! Responses of the management API, in the form that the SDKs read.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use stackgen_gateway_common::uuid;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Response.
#[derive(Debug)]
pub(super) enum Answer {
    /// The message was posted (row K1).
    Posted,
    /// The connection exists (row K2).
    Found(Description),
    /// The connection is closing (row K3).
    Deleted,
    /// The connection does not exist (row K4).
    Gone,
    /// The request is not authorized, or its path is not valid (rows K1, K5).
    Forbidden(String),
    /// The message is too large (row K6).
    PayloadTooLarge,
    /// The client's buffer is full (row K7).
    LimitExceeded,
    /// A plain request came to a stage's WebSocket endpoint (row C4).
    UpgradeRequired,
}

/// Description of a connection that GET returns (row K2).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Description {
    pub(super) connected_at: String,
    pub(super) identity: Identity,
    pub(super) last_active_at: String,
}

/// Identity of the client.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity {
    pub(super) source_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<String>,
}

impl Answer {
    /// Returns `Forbidden` without a reason.
    pub(super) fn forbidden() -> Self {
        Answer::Forbidden("Forbidden".to_owned())
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Answer::Posted | Answer::Found(_) => StatusCode::OK,
            Answer::Deleted => StatusCode::NO_CONTENT,
            Answer::Gone => StatusCode::GONE,
            Answer::Forbidden(_) => StatusCode::FORBIDDEN,
            Answer::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Answer::LimitExceeded => StatusCode::TOO_MANY_REQUESTS,
            Answer::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
        }
    }

    fn error_type(&self) -> Option<&'static str> {
        match self {
            Answer::Gone => Some("GoneException"),
            Answer::Forbidden(_) => Some("ForbiddenException"),
            Answer::PayloadTooLarge => Some("PayloadTooLargeException"),
            Answer::LimitExceeded => Some("LimitExceededException"),
            _ => None,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let (status, error_type) = (self.status(), self.error_type());
        let mut response = match self {
            Answer::Found(description) => (status, Json(description)).into_response(),
            // API Gateway sends no body either: SDKs print `GoneException: null`.
            Answer::Posted | Answer::Deleted | Answer::Gone => status.into_response(),
            Answer::Forbidden(message) => {
                (status, Json(json!({"message": message}))).into_response()
            }
            Answer::PayloadTooLarge => {
                (status, Json(json!({"message": "Payload too large"}))).into_response()
            }
            Answer::LimitExceeded => {
                (status, Json(json!({"message": "Too many requests"}))).into_response()
            }
            Answer::UpgradeRequired => {
                let upgrade = [
                    (header::UPGRADE, "websocket"),
                    (header::CONNECTION, "upgrade"),
                ];
                (
                    status,
                    upgrade,
                    Json(json!({"message": "Upgrade Required"})),
                )
                    .into_response()
            }
        };
        let headers = response.headers_mut();
        if let Some(error_type) = error_type {
            headers.insert(ERROR_TYPE, HeaderValue::from_static(error_type));
        }
        // A UUID is hex digits and hyphens, a valid header value.
        if let Ok(id) = HeaderValue::from_str(&uuid()) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }
}
