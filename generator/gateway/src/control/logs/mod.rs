//! CloudWatch Logs' API: log groups, log streams and log events, in the JSON protocol.

mod events;
mod groups;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stackgen_gateway_common::ArnScope;
use stackgen_gateway_common::logs::{FilterPatternError, Logs, LogsError};

/// Result of an operation.
type LogsResult = Result<Value, LogsErrorResponse>;

struct LogsService {
    logs: Arc<Logs>,
    scope: ArnScope,
}

/// Error response.
struct LogsErrorResponse {
    kind: &'static str,
    message: String,
}

/// Returns the routes of all supported operations.
pub fn routes(logs: Arc<Logs>, scope: ArnScope) -> Router {
    Router::new()
        .fallback(answer)
        // A batch of events has at most 1 MB.
        .layer(DefaultBodyLimit::max(2 * 1024 * 1024))
        .with_state(Arc::new(LogsService { logs, scope }))
}

async fn answer(
    State(service): State<Arc<LogsService>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers.get("x-amz-target");
    let target = target
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let operation = target.strip_prefix("Logs_20140328.").unwrap_or_default();
    let (status, body) = match service.operate(operation, &body) {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => (
            StatusCode::BAD_REQUEST,
            json!({ "__type": refusal.kind, "message": refusal.message }),
        ),
    };
    let headers = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, headers, body.to_string()).into_response()
}

impl LogsService {
    fn operate(&self, operation: &str, body: &[u8]) -> LogsResult {
        match operation {
            "CreateLogGroup" => self.create_group(&read(body)?),
            "DeleteLogGroup" => self.delete_group(&read(body)?),
            "DescribeLogGroups" => self.describe_groups(&read(body)?),
            "PutRetentionPolicy" => self.retain(&read(body)?),
            "DeleteRetentionPolicy" => self.retain(&read(body)?),
            "CreateLogStream" => self.create_stream(&read(body)?),
            "DescribeLogStreams" => self.describe_streams(&read(body)?),
            "PutLogEvents" => self.put_events(read(body)?),
            "GetLogEvents" => self.get_events(&read(body)?),
            "FilterLogEvents" => self.filter_events(read(body)?),
            "StartLiveTail" => Err(LogsErrorResponse {
                kind: "InvalidOperationException",
                message: "The local CloudWatch Logs does not support live tail: use FilterLogEvents, as `aws logs tail --follow` does"
                    .to_owned(),
            }),
            other => Err(LogsErrorResponse {
                kind: "UnknownOperationException",
                message: format!("The local CloudWatch Logs does not support the operation {other:?}"),
            }),
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, LogsErrorResponse> {
    serde_json::from_slice(body).map_err(|error| LogsErrorResponse {
        kind: "SerializationException",
        message: error.to_string(),
    })
}

fn invalid(message: impl Into<String>) -> LogsErrorResponse {
    LogsErrorResponse {
        kind: "InvalidParameterException",
        message: message.into(),
    }
}

/// Returns a page of a list, and the token of the next page: the number of items before it.
fn page(
    items: Vec<Value>,
    token: Option<&str>,
    limit: Option<usize>,
) -> Result<(Vec<Value>, Option<String>), LogsErrorResponse> {
    let start: usize = match token {
        Some(token) => {
            let start = token.parse();
            start.map_err(|_| invalid("The specified nextToken is invalid."))?
        }
        None => 0,
    };
    let total = items.len();
    let size = limit.unwrap_or(50).clamp(1, 50);
    let page: Vec<_> = items.into_iter().skip(start).take(size).collect();
    let end = start.saturating_add(page.len());
    Ok((page, (end < total).then(|| end.to_string())))
}

impl From<LogsError> for LogsErrorResponse {
    fn from(error: LogsError) -> Self {
        let kind = match error {
            LogsError::NotFound(_) => "ResourceNotFoundException",
            LogsError::Exists(_) => "ResourceAlreadyExistsException",
        };
        LogsErrorResponse {
            kind,
            message: error.to_string(),
        }
    }
}

impl From<FilterPatternError> for LogsErrorResponse {
    fn from(error: FilterPatternError) -> Self {
        invalid(error.to_string())
    }
}
