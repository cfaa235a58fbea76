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
pub(super) enum ManagementResponse {
    /// The message was posted (row K1).
    Posted,
    /// The connection exists (row K2).
    Found(ConnectionDescription),
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
pub(super) struct ConnectionDescription {
    pub(super) connected_at: String,
    pub(super) identity: ConnectionIdentity,
    pub(super) last_active_at: String,
}

/// Identity of the client.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionIdentity {
    pub(super) source_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<String>,
}

impl ManagementResponse {
    /// Returns `Forbidden` without a reason.
    pub(super) fn forbidden() -> Self {
        ManagementResponse::Forbidden("Forbidden".to_owned())
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            ManagementResponse::Posted | ManagementResponse::Found(_) => StatusCode::OK,
            ManagementResponse::Deleted => StatusCode::NO_CONTENT,
            ManagementResponse::Gone => StatusCode::GONE,
            ManagementResponse::Forbidden(_) => StatusCode::FORBIDDEN,
            ManagementResponse::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ManagementResponse::LimitExceeded => StatusCode::TOO_MANY_REQUESTS,
            ManagementResponse::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
        }
    }

    fn error_type(&self) -> Option<&'static str> {
        match self {
            ManagementResponse::Gone => Some("GoneException"),
            ManagementResponse::Forbidden(_) => Some("ForbiddenException"),
            ManagementResponse::PayloadTooLarge => Some("PayloadTooLargeException"),
            ManagementResponse::LimitExceeded => Some("LimitExceededException"),
            _ => None,
        }
    }
}

impl IntoResponse for ManagementResponse {
    fn into_response(self) -> Response {
        let (status, error_type) = (self.status(), self.error_type());
        let mut response = match self {
            ManagementResponse::Found(description) => (status, Json(description)).into_response(),
            // API Gateway sends no body either: SDKs print `GoneException: null`.
            ManagementResponse::Posted | ManagementResponse::Deleted | ManagementResponse::Gone => {
                status.into_response()
            }
            ManagementResponse::Forbidden(message) => {
                (status, Json(json!({"message": message}))).into_response()
            }
            ManagementResponse::PayloadTooLarge => {
                (status, Json(json!({"message": "Payload too large"}))).into_response()
            }
            ManagementResponse::LimitExceeded => {
                (status, Json(json!({"message": "Too many requests"}))).into_response()
            }
            ManagementResponse::UpgradeRequired => {
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
