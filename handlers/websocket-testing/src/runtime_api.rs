//! Lambda's Runtime API for one execution environment.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

use super::server::Server;
use stackgen_websocket::{Clock, SystemClock};

/// Maximum size of a response, in bytes.
const MAX_ANSWER: usize = 6 * 1024 * 1024;

/// A Runtime API endpoint on a free loopback port.
///
/// It hands out one event at a time, in the order in which they were added.
#[derive(Debug)]
pub struct RuntimeApi {
    state: Arc<RuntimeState>,
    server: Server,
    timeout: Duration,
}

/// Result of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum InvocationResult {
    /// Response of the function.
    Response(Value),
    /// Error of the function.
    Error {
        /// `errorMessage`.
        message: String,
        /// `errorType`.
        error_type: String,
    },
    /// The function timed out. Lambda would stop the process.
    TimedOut,
}

impl InvocationResult {
    /// Returns the response.
    ///
    /// # Panics
    ///
    /// Panics if the function failed or timed out.
    #[track_caller]
    pub fn response(self) -> Value {
        match self {
            InvocationResult::Response(value) => value,
            other => panic!("a response, not {other:?}"),
        }
    }
}

/// Queue of events, and the callers that wait for results.
#[derive(Debug)]
struct RuntimeState {
    events: mpsc::UnboundedSender<Invocation>,
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    callers: Mutex<HashMap<String, oneshot::Sender<InvocationResult>>>,
    progress: watch::Sender<Progress>,
    init_error: watch::Sender<Option<Value>>,
    first_next: OnceLock<Instant>,
    first_answer: OnceLock<Instant>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    event: String,
    deadline_ms: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    put: u64,
    polls: u64,
    handed_out: u64,
}

impl RuntimeApi {
    /// Starts an endpoint with this timeout per event.
    pub async fn start(timeout: Duration) -> Self {
        let (events, queue) = mpsc::unbounded_channel();
        let state = Arc::new(RuntimeState {
            events,
            queue: tokio::sync::Mutex::new(queue),
            callers: Mutex::default(),
            progress: watch::Sender::default(),
            init_error: watch::Sender::default(),
            first_next: OnceLock::new(),
            first_answer: OnceLock::new(),
        });
        let runtime = Router::new()
            .route("/invocation/next", get(next))
            .route("/invocation/{id}/response", post(response))
            .route("/invocation/{id}/error", post(error))
            .route("/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(MAX_ANSWER));
        let routes = Router::new()
            .nest("/2018-06-01/runtime", runtime)
            .with_state(Arc::clone(&state));
        let server = Server::start(routes).await;
        RuntimeApi {
            state,
            server,
            timeout,
        }
    }

    /// Returns the address: the value for `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Invokes the function with an event, and waits for the result.
    pub async fn invoke(&self, event: &Value) -> InvocationResult {
        let (caller, answer) = oneshot::channel();
        let id = self.state.put(event, self.timeout, caller);
        let answer = tokio::time::timeout(self.timeout, answer).await;
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => {
                self.state.caller(&id);
                InvocationResult::TimedOut
            }
        }
    }

    /// Waits until the function asks for the next event. Before that, it may still work on the last one.
    pub async fn idle(&self) {
        let mut progress = self.state.progress.subscribe();
        // Cannot fail: the sender is part of `self`.
        let _ = progress
            .wait_for(|progress| progress.polls > progress.handed_out)
            .await;
    }

    /// Returns the initialization error that the function reported.
    pub fn init_error(&self) -> Option<Value> {
        self.state.init_error.borrow().clone()
    }

    /// Returns the time of the first request for an event.
    pub fn first_next(&self) -> Option<Instant> {
        self.state.first_next.get().copied()
    }

    /// Returns the time of the first response.
    pub fn first_answer(&self) -> Option<Instant> {
        self.state.first_answer.get().copied()
    }
}

impl RuntimeState {
    fn put(
        &self,
        event: &Value,
        timeout: Duration,
        caller: oneshot::Sender<InvocationResult>,
    ) -> String {
        let mut number = 0;
        self.progress.send_modify(|progress| {
            progress.put += 1;
            number = progress.put;
        });
        let id = format!("8c1f6f7a-0000-4000-8000-{number:012x}");
        self.callers().insert(id.clone(), caller);
        let invocation = Invocation {
            id: id.clone(),
            event: event.to_string(),
            deadline_ms: SystemClock.now().after(timeout).as_millis(),
        };
        // Cannot fail: the receiver is part of `self`.
        let _ = self.events.send(invocation);
        id
    }

    fn callers(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<InvocationResult>>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn caller(&self, id: &str) -> Option<oneshot::Sender<InvocationResult>> {
        self.callers().remove(id)
    }

    fn answer(&self, id: &str, answer: InvocationResult) -> Response {
        self.first_answer.get_or_init(Instant::now);
        match self.caller(id) {
            Some(caller) => {
                // Fails if the caller no longer waits.
                let _ = caller.send(answer);
                (StatusCode::ACCEPTED, axum::Json(json!({"status": "OK"}))).into_response()
            }
            None => refuse(StatusCode::BAD_REQUEST, "InvalidRequestID"),
        }
    }
}

async fn next(State(state): State<Arc<RuntimeState>>) -> Response {
    state.first_next.get_or_init(Instant::now);
    state.progress.send_modify(|progress| progress.polls += 1);
    let Some(invocation) = state.queue.lock().await.recv().await else {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "Closed");
    };
    state
        .progress
        .send_modify(|progress| progress.handed_out += 1);
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", invocation.id),
        (
            "lambda-runtime-deadline-ms",
            invocation.deadline_ms.to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:under-test".to_owned(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-65c66d5f-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0".to_owned(),
        ),
    ];
    (headers, invocation.event).into_response()
}

async fn response(
    State(state): State<Arc<RuntimeState>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match serde_json::from_slice(&body) {
        Ok(value) => state.answer(&id, InvocationResult::Response(value)),
        Err(_) => refuse(StatusCode::BAD_REQUEST, "InvalidResponse"),
    }
}

async fn error(
    State(state): State<Arc<RuntimeState>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let error: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    let answer = InvocationResult::Error {
        message: text("errorMessage"),
        error_type: text("errorType"),
    };
    state.answer(&id, answer)
}

async fn init_error(State(state): State<Arc<RuntimeState>>, body: Bytes) -> StatusCode {
    let error = serde_json::from_slice(&body).unwrap_or_default();
    state.init_error.send_replace(Some(error));
    StatusCode::ACCEPTED
}

fn refuse(status: StatusCode, error_type: &str) -> Response {
    let body = json!({"errorMessage": error_type, "errorType": error_type});
    (status, axum::Json(body)).into_response()
}

#[cfg(test)]
mod tests;
