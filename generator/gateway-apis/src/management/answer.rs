//! What @connections answers, in the shapes that the SDKs read.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use stackgen_gateway_common::uuid;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// An answer.
#[derive(Debug)]
pub(super) enum Answer {
    /// Row K1.
    Posted,
    /// Row K2.
    Found(Description),
    /// Row K3.
    Deleted,
    /// Row K4.
    Gone,
    /// Rows K1, K5.
    Forbidden(String),
    /// Row K6.
    PayloadTooLarge,
    /// Row K7.
    LimitExceeded,
    /// Row C4.
    UpgradeRequired,
}

/// A connection as GET tells it (row K2).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Description {
    pub(super) connected_at: String,
    pub(super) identity: Identity,
    pub(super) last_active_at: String,
}

/// Who is connected.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity {
    pub(super) source_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<String>,
}

impl Answer {
    /// `Forbidden`, without a word about why.
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
            // The real one says no word either: SDKs write `GoneException: null`.
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
        // A UUID is hex digits and hyphens, which every header takes.
        if let Ok(id) = HeaderValue::from_str(&uuid()) {
            headers.insert(REQUEST_ID, id);
        }
        response
    }
}
