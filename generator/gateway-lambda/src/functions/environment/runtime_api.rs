//! The Runtime API, version 2018-06-01, for the process of one environment.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use stackgen_gateway_common::EpochMillis;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use super::http::{self, Request};
use super::report::{self, Ending};
use super::{Environment, Job, Misuse};

/// The largest answer of a function: 6 MB and what API Gateway puts around it.
const LARGEST_ANSWER: usize = 6 * 1024 * 1024 + 100;

/// Serves one connection of the process until it is closed.
pub(super) async fn serve(environment: Arc<Environment>, stream: TcpStream) {
    // A socket that refuses the option is a slower socket.
    let _ = stream.set_nodelay(true);
    let (mut reader, writer) = stream.into_split();
    let writer = Arc::new(writer);
    let mut buffer = BytesMut::with_capacity(16 * 1024);
    while let Ok(Some(request)) =
        http::read(&mut reader, &writer, &mut buffer, LARGEST_ANSWER).await
    {
        let close = request.close;
        // An event is still to come over this connection, and then the process closes it.
        let Some(answer) = route(&environment, &writer, request) else {
            continue;
        };
        if http::write(&writer, &answer).await.is_err() || close {
            break;
        }
    }
    environment.left(&writer);
}

/// What goes back; `None` when that comes later, from whoever invokes the function.
fn route(
    environment: &Arc<Environment>,
    connection: &Arc<OwnedWriteHalf>,
    request: Request,
) -> Option<Vec<u8>> {
    const RUNTIME: &str = "/2018-06-01/runtime/";
    let path = request.path.clone();
    let Some(path) = path.strip_prefix(RUNTIME) else {
        return extensions(&request);
    };
    let done = match (request.method.as_str(), path) {
        ("GET", "invocation/next") => match environment.ask(connection) {
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
            Some((id, "response")) if request.size > LARGEST_ANSWER => {
                return Some(too_large(environment, id, request.size));
            }
            Some((id, "response")) => response(environment, id, request),
            Some((id, "error")) => {
                let kind = request.error_type.unwrap_or_else(|| "Unhandled".to_owned());
                environment.answer(id, request.body, Ending::Thrown(kind))
            }
            _ => return Some(unknown()),
        },
        _ => return Some(unknown()),
    };
    Some(match done {
        Ok(()) => reply("202 Accepted", "", "{\"status\":\"OK\"}\n"),
        Err(Misuse::RequestId) => {
            refusal("400 Bad Request", "InvalidRequestID", "Invalid request ID")
        }
        Err(Misuse::State) => refusal(
            "403 Forbidden",
            "InvalidStateTransition",
            "The runtime has an event that it did not answer, or asks already",
        ),
    })
}

fn response(environment: &Environment, id: &str, request: Request) -> Result<(), Misuse> {
    // A stream that broke off says so after its last byte.
    let Some(kind) = request.error_type else {
        return environment.answer(id, request.body, Ending::Success);
    };
    let error = request
        .error_body
        .and_then(|body| STANDARD.decode(body).ok());
    let error = error.map_or_else(|| report::error(&kind, "The stream broke off"), Bytes::from);
    environment.answer(id, error, Ending::Thrown(kind))
}

fn too_large(environment: &Environment, id: &str, size: usize) -> Vec<u8> {
    const KIND: &str = "Function.ResponseSizeTooLarge";
    let message = format!(
        "Response payload size ({size} bytes) exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes)."
    );
    let error = report::error(KIND, &message);
    match environment.answer(id, error, Ending::Thrown(KIND.to_owned())) {
        Ok(()) => refusal("413 Payload Too Large", "RequestEntityTooLarge", &message),
        Err(_) => refusal("400 Bad Request", "InvalidRequestID", "Invalid request ID"),
    }
}

/// Extensions. One inside the runtime that wants no events, as runtimes register to be told of their end, is let be; others
/// would wait for events that never come, and are refused.
fn extensions(request: &Request) -> Option<Vec<u8>> {
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
                    "Extensions get no events here: the local Lambda has no extensions API",
                )
            })
        }
        // It waits for events, and there are none.
        ("GET", "/2020-01-01/extension/event/next") => None,
        _ => Some(unknown()),
    }
}

fn unknown() -> Vec<u8> {
    refusal(
        "404 Not Found",
        "NotFound",
        "The local Lambda has the Runtime API 2018-06-01 and nothing else",
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

/// The answer to `/invocation/next`.
pub(super) fn event(job: &Job, deadline: EpochMillis) -> Vec<u8> {
    // It came over the network.
    let trace: String = job.trace_id.chars().filter(|c| !c.is_control()).collect();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: {}\r\n\
         Lambda-Runtime-Deadline-Ms: {}\r\nLambda-Runtime-Invoked-Function-Arn: {}\r\n\
         Lambda-Runtime-Trace-Id: {trace}\r\nContent-Length: {}\r\n\r\n",
        job.request_id,
        deadline.as_millis(),
        job.arn,
        job.payload.len()
    );
    let mut event = Vec::with_capacity(head.len() + job.payload.len());
    event.extend_from_slice(head.as_bytes());
    event.extend_from_slice(&job.payload);
    event
}

/// Sends an event to the process: at once as far as the socket takes it, which is all of it nearly always, so that no other
/// task has to wake for it. If the process is gone, whoever watches it says so.
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
