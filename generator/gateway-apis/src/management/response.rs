//! Responses of the management API, in the form that the SDKs read.

use std::io::{self, Write};

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use stackgen_gateway_common::{EpochMillis, request_id, trace_id, uuid};

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const GATEWAY_ID: HeaderName = HeaderName::from_static("x-amz-apigw-id");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// Type of every answer but that of a deletion, also of empty ones.
const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// Formats JSON as API Gateway does: with a space before the colon.
#[derive(Default)]
struct GatewayFormatter(PrettyFormatter<'static>);

impl Formatter for GatewayFormatter {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

fn message(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"message": text}))).into_response()
}

fn pretty(value: &impl Serialize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, GatewayFormatter::default());
    // Cannot fail: the description is a map with text keys and texts, written to memory.
    let _ = value.serialize(&mut serializer);
    text
}

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
    /// The connection ID is malformed (row K4).
    InvalidConnectionId(String),
    /// The caller lacks the permission (row K1).
    AccessDenied(String),
    /// The request is not signed, or its path is not valid (rows K1, K5).
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
    // In the order of API Gateway's answer.
    pub(super) identity: ConnectionIdentity,
    pub(super) connected_at: String,
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

    /// Returns the reason of a refusal, if its text has one.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            ManagementResponse::AccessDenied(message) => Some(message),
            ManagementResponse::Forbidden(message) => match message.strip_prefix("Forbidden") {
                Some(reason) => reason.strip_prefix(": "),
                None => Some(message),
            },
            _ => None,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            ManagementResponse::Posted | ManagementResponse::Found(_) => StatusCode::OK,
            ManagementResponse::Deleted => StatusCode::NO_CONTENT,
            ManagementResponse::Gone => StatusCode::GONE,
            ManagementResponse::InvalidConnectionId(_) => StatusCode::BAD_REQUEST,
            ManagementResponse::AccessDenied(_) | ManagementResponse::Forbidden(_) => {
                StatusCode::FORBIDDEN
            }
            ManagementResponse::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ManagementResponse::LimitExceeded => StatusCode::TOO_MANY_REQUESTS,
            ManagementResponse::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
        }
    }

    fn error_type(&self) -> Option<&'static str> {
        match self {
            ManagementResponse::Gone => Some("GoneException"),
            ManagementResponse::InvalidConnectionId(_) => Some("BadRequestException"),
            ManagementResponse::AccessDenied(_) => Some("AccessDeniedException"),
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
            ManagementResponse::Found(description) => {
                (status, JSON, pretty(&description)).into_response()
            }
            // API Gateway sends no body either: SDKs print `GoneException: null`.
            ManagementResponse::Posted | ManagementResponse::Gone => (status, JSON).into_response(),
            ManagementResponse::Deleted => status.into_response(),
            ManagementResponse::InvalidConnectionId(id) => {
                message(status, &format!("Invalid connectionId: {id}"))
            }
            ManagementResponse::AccessDenied(message) => {
                (status, Json(json!({"Message": message}))).into_response()
            }
            ManagementResponse::Forbidden(reason) => message(status, &reason),
            ManagementResponse::PayloadTooLarge => message(status, "Payload too large"),
            ManagementResponse::LimitExceeded => message(status, "Too many requests"),
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
        let is_traced = status.is_success() || status == StatusCode::GONE;
        let headers = response.headers_mut();
        let mut set = |name: HeaderName, value: &str| {
            // IDs are visible ASCII.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        set(GATEWAY_ID, &request_id());
        if is_traced {
            let seconds = EpochMillis::now().as_millis() / 1000;
            set(TRACE_ID, &trace_id(seconds));
        }
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
