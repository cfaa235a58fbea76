//! Responses of Lambda: its JSON and its errors.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stackgen_gateway_common::invoke::{InvokeError, InvokeErrorKind};

use crate::functions::{
    FunctionAlias, FunctionError, FunctionErrorKind, FunctionVersion, Functions, LATEST, LogFormat,
};

/// Error response.
pub(super) struct LambdaErrorResponse {
    status: StatusCode,
    kind: &'static str,
    message: Cow<'static, str>,
}

/// Result of most operations.
pub(super) type LambdaResult = Result<Response, LambdaErrorResponse>;

impl LambdaErrorResponse {
    pub(super) fn new(
        status: StatusCode,
        kind: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        LambdaErrorResponse {
            status,
            kind,
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        LambdaErrorResponse::new(
            StatusCode::BAD_REQUEST,
            "InvalidParameterValueException",
            message,
        )
    }
}

impl From<FunctionError> for LambdaErrorResponse {
    fn from(error: FunctionError) -> Self {
        let (status, kind) = match error.kind {
            FunctionErrorKind::NotFound => (404, "ResourceNotFoundException"),
            FunctionErrorKind::Conflict => (409, "ResourceConflictException"),
            FunctionErrorKind::InvalidParameter => (400, "InvalidParameterValueException"),
            FunctionErrorKind::PreconditionFailed => (412, "PreconditionFailedException"),
            FunctionErrorKind::Service => (500, "ServiceException"),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        LambdaErrorResponse::new(status, kind, error.message)
    }
}

impl From<InvokeError> for LambdaErrorResponse {
    fn from(error: InvokeError) -> Self {
        let (status, kind) = match error.kind {
            InvokeErrorKind::NotFound => (StatusCode::NOT_FOUND, "ResourceNotFoundException"),
            InvokeErrorKind::AccessDenied => (StatusCode::FORBIDDEN, "AccessDeniedException"),
            InvokeErrorKind::TooManyRequests => {
                (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException")
            }
            InvokeErrorKind::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException")
            }
            InvokeErrorKind::Unrunnable => (StatusCode::BAD_GATEWAY, "InvalidRuntimeException"),
        };
        LambdaErrorResponse::new(status, kind, error.message)
    }
}

impl IntoResponse for LambdaErrorResponse {
    fn into_response(self) -> Response {
        let fault = if self.status.is_server_error() {
            "Service"
        } else {
            "User"
        };
        let body = json!({ "Type": fault, "Message": self.message, "__type": self.kind });
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (HeaderName::from_static("x-amzn-errortype"), self.kind),
        ];
        (self.status, headers, body.to_string()).into_response()
    }
}

/// Parses the body of a request. An empty body counts as an empty object.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, LambdaErrorResponse> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        LambdaErrorResponse::new(
            StatusCode::BAD_REQUEST,
            "SerializationException",
            error.to_string(),
        )
    })
}

pub(super) fn ok(body: Value) -> LambdaResult {
    Ok(Json(body).into_response())
}

pub(super) fn created(body: Value) -> LambdaResult {
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

pub(super) fn no_content() -> LambdaResult {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PageQuery {
    #[serde(default)]
    marker: Option<String>,
    #[serde(default)]
    max_items: Option<usize>,
}

impl PageQuery {
    /// Responds with a page: `{key: […], "NextMarker": …}`.
    pub(super) fn of(&self, key: &str, items: Vec<Value>) -> LambdaResult {
        let start = match self.marker.as_deref() {
            None | Some("") => 0,
            Some(marker) => marker
                .parse()
                .map_err(|_| LambdaErrorResponse::invalid("The marker is invalid"))?,
        };
        let size = self.max_items.unwrap_or(50).clamp(1, 50);
        let total = items.len();
        let page: Vec<_> = items.into_iter().skip(start).take(size).collect();
        let end = start.saturating_add(page.len());
        let mut body = json!({ key: page });
        if end < total {
            body["NextMarker"] = json!(end.to_string());
        }
        ok(body)
    }
}

/// Returns the configuration of a version, as all operations have it. Its ARN ends in `qualifier`.
pub(super) fn configuration(version: &FunctionVersion, qualifier: Option<&str>) -> Value {
    let configuration = &version.configuration;
    let mut arn = version.function.clone();
    arn.qualifier = qualifier.map(str::to_owned);
    let modified = version.last_modified.iso8601().replace('Z', "+0000");
    let format = match configuration.log_format {
        LogFormat::Text => "Text",
        LogFormat::Json => "JSON",
    };
    let mut shown = json!({
        "FunctionName": version.function.name,
        "FunctionArn": arn.to_string(),
        "Runtime": configuration.runtime,
        "Role": configuration.role,
        "Handler": configuration.handler,
        "CodeSize": version.code.size,
        "Description": configuration.description,
        "Timeout": configuration.timeout.as_secs(),
        "MemorySize": configuration.memory_size,
        "LastModified": modified,
        "CodeSha256": version.code.sha256,
        "Version": version.version,
        "TracingConfig": { "Mode": "PassThrough" },
        "RevisionId": version.revision_id,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [configuration.architecture],
        "EphemeralStorage": { "Size": 512 },
        "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
        "LoggingConfig": {
            "LogFormat": format,
            "LogGroup": configuration.log_group(&version.function.name),
        },
    });
    if !configuration.environment.is_empty() {
        shown["Environment"] = json!({ "Variables": configuration.environment });
    }
    shown
}

/// Returns an alias, as all operations have it.
pub(super) fn alias(lambda: &Functions, function: &str, alias: &FunctionAlias) -> Value {
    let arn = lambda.scope().function(function).qualified(&*alias.name);
    json!({
        "AliasArn": arn.to_string(),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    })
}

/// Returns a version in a list. ARNs in lists are qualified with the version, even `$LATEST`.
pub(super) fn qualified(version: &Arc<FunctionVersion>) -> Value {
    configuration(version, Some(&version.version))
}

/// Returns the result of a change. The ARN of `$LATEST` is unqualified, that of a published version is qualified.
pub(super) fn changed(version: &FunctionVersion) -> Value {
    let published = (version.version != LATEST).then_some(version.version.as_str());
    configuration(version, published)
}
