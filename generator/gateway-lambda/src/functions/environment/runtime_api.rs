//! Runtime API, version 2018-06-01, for the process of one environment.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use stackgen_gateway_common::EpochMillis;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::http::{self, RuntimeRequest};
use super::report::{self, InvocationEnd};
use super::{ExecutionEnvironment, QueuedInvocation, RuntimeApiMisuse};

/// Maximum size of a function's answer: 6 MB, and 100 bytes as on AWS.
const MAX_ANSWER: usize = 6 * 1024 * 1024 + 100;

/// Serves one connection of the process until it is closed.
pub(super) async fn serve(environment: Arc<ExecutionEnvironment>, stream: TcpStream) {
    // Without the option the connection is only slower.
    let _ = stream.set_nodelay(true);
    let (mut reader, writer) = stream.into_split();
    let writer = Arc::new(writer);
    let mut buffer = BytesMut::with_capacity(16 * 1024);
    while let Ok(Some(request)) = http::read(&mut reader, &writer, &mut buffer, MAX_ANSWER).await {
        let close = request.close;
        let Some(answer) = handle(&environment, &writer, request) else {
            if close {
                return close_after_event(&environment, reader, writer).await;
            }
            continue;
        };
        if http::write(&writer, &answer).await.is_err() || close {
            break;
        }
    }
    environment.connection_closed(&writer);
}

/// Waits until the process closes a connection on which it asked for an event and for the end of the connection.
///
/// Only the environment holds the writing half then, and drops it after it sends the event. This closes the connection,
/// and some clients read until that happens.
async fn close_after_event(
    environment: &Arc<ExecutionEnvironment>,
    mut reader: OwnedReadHalf,
    writer: Arc<OwnedWriteHalf>,
) {
    let waiting = Arc::downgrade(&writer);
    drop(writer);
    let mut ignored = [0; 64];
    while matches!(reader.read(&mut ignored).await, Ok(1..)) {}
    if let Some(writer) = waiting.upgrade() {
        environment.connection_closed(&writer);
    }
}

/// Handles a request. Returns the answer, or `None` if the answer is an event that [`send`] writes later.
fn handle(
    environment: &Arc<ExecutionEnvironment>,
    connection: &Arc<OwnedWriteHalf>,
    request: RuntimeRequest,
) -> Option<Vec<u8>> {
    const RUNTIME: &str = "/2018-06-01/runtime/";
    let path = request.path.clone();
    let Some(path) = path.strip_prefix(RUNTIME) else {
        return handle_extension(&request);
    };
    let done = match (request.method.as_str(), path) {
        ("GET", "invocation/next") => match environment.event_requested(connection) {
            Ok(()) => return None,
            Err(misuse) => Err(misuse),
        },
        ("POST", "init/error") => {
            environment.fail_init(request.body);
            Ok(())
        }
        ("POST", path) => match path
            .strip_prefix("invocation/")
            .and_then(|rest| rest.split_once('/'))
        {
            Some((id, "response")) if request.size > MAX_ANSWER => {
                return Some(reject_large_response(environment, id, request.size));
            }
            Some((id, "response")) => handle_response(environment, id, request),
            Some((id, "error")) => {
                let kind = request.error_type.unwrap_or_else(|| "Unhandled".to_owned());
                environment.invocation_answered(id, request.body, InvocationEnd::Thrown(kind))
            }
            _ => return Some(unknown_path()),
        },
        _ => return Some(unknown_path()),
    };
    Some(match done {
        Ok(()) => reply("202 Accepted", "", "{\"status\":\"OK\"}\n"),
        Err(RuntimeApiMisuse::RequestId) => {
            refusal("400 Bad Request", "InvalidRequestID", "Invalid request ID")
        }
        Err(RuntimeApiMisuse::State) => refusal(
            "403 Forbidden",
            "InvalidStateTransition",
            "The runtime has not answered its last event, or waits for one already",
        ),
    })
}

fn handle_response(
    environment: &ExecutionEnvironment,
    id: &str,
    request: RuntimeRequest,
) -> Result<(), RuntimeApiMisuse> {
    // A streaming function reports an error in the trailer, after its last byte.
    let Some(kind) = request.error_type else {
        return environment.invocation_answered(id, request.body, InvocationEnd::Success);
    };
    let error = request
        .error_body
        .and_then(|body| STANDARD.decode(body).ok());
    let error = error.map_or_else(
        || report::error(&kind, "The stream ended with an error"),
        Bytes::from,
    );
    environment.invocation_answered(id, error, InvocationEnd::Thrown(kind))
}

fn reject_large_response(environment: &ExecutionEnvironment, id: &str, size: usize) -> Vec<u8> {
    const KIND: &str = "Function.ResponseSizeTooLarge";
    let message = format!(
        "Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_ANSWER} bytes)."
    );
    let error = report::error(KIND, &message);
    match environment.invocation_answered(id, error, InvocationEnd::Thrown(KIND.to_owned())) {
        Ok(()) => refusal("413 Payload Too Large", "RequestEntityTooLarge", &message),
        Err(_) => refusal("400 Bad Request", "InvalidRequestID", "Invalid request ID"),
    }
}

/// Handles requests of extensions. Runtimes register one without events to be informed of their end; this is accepted. All
/// other extensions would wait for events that never come, so they are refused.
fn handle_extension(request: &RuntimeRequest) -> Option<Vec<u8>> {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/2020-01-01/extension/register") => {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let quiet = body["events"].as_array().is_none_or(Vec::is_empty);
            Some(if quiet {
                let id = format!(
                    "Lambda-Extension-Identifier: {}\r\n",
                    stackgen_gateway_common::uuid()
                );
                reply("200 OK", &id, "{}")
            } else {
                refusal(
                    "501 Not Implemented",
                    "Extension.NotSupported",
                    "The local Lambda does not support extensions with events",
                )
            })
        }
        // No answer: there are no events.
        ("GET", "/2020-01-01/extension/event/next") => None,
        _ => Some(unknown_path()),
    }
}

fn unknown_path() -> Vec<u8> {
    refusal(
        "404 Not Found",
        "NotFound",
        "The local Lambda supports only the Runtime API 2018-06-01",
    )
}

fn refusal(status: &str, kind: &str, message: &str) -> Vec<u8> {
    let body = report::error(kind, message);
    reply(status, "", &String::from_utf8_lossy(&body))
}

fn reply(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let size = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {size}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Returns the answer to `/invocation/next`.
pub(super) fn event(invocation: &QueuedInvocation, deadline: EpochMillis) -> Vec<u8> {
    // The trace ID comes from a client; control characters could inject headers.
    let trace: String = invocation
        .trace_id
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: {}\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\nLambda-Runtime-Invoked-Function-Arn: {}\r\n\
         Lambda-Runtime-Trace-Id: {trace}\r\nContent-Length: {}\r\n\r\n",
        invocation.request_id,
        deadline.as_millis(),
        invocation.arn,
        invocation.payload.len()
    );
    let mut event = Vec::with_capacity(head.len() + invocation.payload.len());
    event.extend_from_slice(head.as_bytes());
    event.extend_from_slice(&invocation.payload);
    event
}

/// Sends an event to the process. The socket usually accepts it at once, which avoids waking another task; a task writes the
/// rest. If the process has ended, the environment's task notices.
pub(super) fn send(connection: Arc<OwnedWriteHalf>, mut event: Vec<u8>) {
    if let Ok(written) = connection.try_write(&event) {
        if written == event.len() {
            return;
        }
        event.drain(..written);
    }
    tokio::spawn(async move {
        let _ = http::write(&connection, &event).await;
    });
}
