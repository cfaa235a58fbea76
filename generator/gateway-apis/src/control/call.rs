//! Calls of apigatewayv2: parsing requests and building responses.

use std::fmt::Display;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stackgen_gateway_common::refuse;

use crate::apis::{ApiError, ApiErrorKind};

/// A parsed request.
pub(super) struct ApiCall {
    pub(super) method: Method,
    /// Segments of the path, decoded one by one, because an ID may contain an encoded slash.
    pub(super) path: Vec<String>,
    query: Vec<(String, String)>,
    body: Bytes,
}

/// Reason why a call failed.
pub(super) enum CallFailure {
    /// API Gateway's rules refuse the call.
    Refused(ApiError),
    /// The body is not JSON of the right shape.
    Unreadable(String),
    /// The operation does not exist here.
    Unknown,
}

/// Response, or the reason for an error response.
pub(super) type CallResult = Result<Response, CallFailure>;

impl From<ApiError> for CallFailure {
    fn from(error: ApiError) -> Self {
        CallFailure::Refused(error)
    }
}

impl ApiCall {
    pub(super) fn new(method: Method, uri: &Uri, body: Bytes) -> Self {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = uri.path().trim_start_matches('/').trim_end_matches('/');
        let pairs = uri.query().unwrap_or_default().split('&');
        ApiCall {
            method,
            path: path.split('/').map(decode).collect(),
            query: pairs
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (decode(name), decode(&value.replace('+', " "))))
                .collect(),
            body,
        }
    }

    /// Parses the body. Unknown fields are ignored, as the service does.
    pub(super) fn input<T: DeserializeOwned>(&self) -> Result<T, CallFailure> {
        let body: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            &self.body
        };
        // Without required fields, serde would accept a sequence, too.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(CallFailure::Unreadable(
                "The body is not a JSON object".to_owned(),
            ));
        }
        serde_json::from_slice(body).map_err(|wrong| {
            let message = wrong.to_string();
            // An unknown value of an enumeration is well-formed, so the error is another one.
            if message.starts_with("unknown variant") {
                return CallFailure::Refused(ApiError::bad_request(message));
            }
            CallFailure::Unreadable(message)
        })
    }

    /// Returns all values of a query parameter.
    pub(super) fn query_values(&self, name: &str) -> Vec<String> {
        let named = self.query.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    /// Responds with one page of a list.
    pub(super) fn page<T: Serialize>(&self, all: &[T]) -> CallResult {
        let start = match self.query_values("nextToken").first() {
            Some(token) => position(token).filter(|start| *start < all.len()),
            None => Some(0),
        };
        let start = start.ok_or_else(|| ApiError::bad_request("Invalid nextToken specified"))?;
        let size = match self.query_values("maxResults").first() {
            Some(size) => size
                .parse()
                .ok()
                .filter(|size| (1..=MAX_PAGE_SIZE).contains(size)),
            None => Some(DEFAULT_PAGE_SIZE),
        };
        let size = size.ok_or_else(|| {
            ApiError::bad_request(format!(
                "maxResults must be a number from 1 to {MAX_PAGE_SIZE}"
            ))
        })?;
        let end = all.len().min(start + size);
        let mut page = json!({ "items": all[start..end] });
        if end < all.len() {
            page["nextToken"] = Value::String(URL_SAFE_NO_PAD.encode(end.to_string()));
        }
        ok(&page)
    }
}

/// Default and maximum number of items per page.
const DEFAULT_PAGE_SIZE: usize = 25;
const MAX_PAGE_SIZE: usize = 500;

fn position(token: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    std::str::from_utf8(&bytes).ok()?.parse().ok()
}

/// Responds with status 200 and a body.
pub(super) fn ok(body: &impl Serialize) -> CallResult {
    Ok(with(StatusCode::OK, body))
}

/// Responds with status 201 and a body.
pub(super) fn created(body: &impl Serialize) -> CallResult {
    Ok(with(StatusCode::CREATED, body))
}

/// Responds with status 204.
pub(super) fn no_content(_: ()) -> CallResult {
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn with(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(body) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(wrong) => internal(wrong),
    }
}

fn internal(wrong: impl Display) -> Response {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    refuse(status, "InternalServerException", &wrong.to_string())
}

impl CallFailure {
    pub(super) fn response(self, call: &ApiCall) -> Response {
        let (status, kind, message) = match self {
            CallFailure::Refused(ApiError { kind, message }) => match kind {
                ApiErrorKind::BadRequest => (400, "BadRequestException", message),
                ApiErrorKind::NotFound => (404, "NotFoundException", message),
                ApiErrorKind::Conflict => (409, "ConflictException", message),
                ApiErrorKind::TooManyRequests => (429, "TooManyRequestsException", message),
            },
            CallFailure::Unreadable(message) => (400, "SerializationException", message),
            CallFailure::Unknown => {
                let path = call.path.join("/");
                let message = format!("The local gateway does not support {} /{path}", call.method);
                (404, "UnknownOperationException", message)
            }
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        refuse(status, kind, &message)
    }
}
