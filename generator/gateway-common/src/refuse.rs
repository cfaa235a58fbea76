//! Error responses of services with a JSON protocol.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// Builds an error response in the form that the JSON protocols share.
pub fn refuse(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = serde_json::json!({ "message": message, "__type": kind }).to_string();
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::HeaderName::from_static("x-amzn-errortype"), kind),
    ];
    (status, headers, Body::from(body)).into_response()
}
