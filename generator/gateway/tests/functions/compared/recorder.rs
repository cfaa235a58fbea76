//! A Runtime API that records what a client posts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Maximum size of an answer, as on Lambda.
const MAX_ANSWER: usize = 6 * 1024 * 1024 + 100;

/// Event for a handler, with further headers.
#[derive(Clone, Debug)]
pub(crate) struct TestEvent {
    pub(crate) body: &'static str,
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// A running Runtime API.
pub(crate) struct Recorder {
    pub(crate) address: String,
    state: Arc<RecorderState>,
}

struct RecorderState {
    shared: Mutex<Shared>,
    /// Notified when the client asks for an event and there is none left.
    idle: Notify,
}

#[derive(Default)]
struct Shared {
    events: VecDeque<TestEvent>,
    sent: usize,
    /// ID of the running invocation.
    running: Option<String>,
    posts: Vec<String>,
}

impl RecorderState {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no panic")
    }
}

impl Recorder {
    /// Starts to serve these events.
    pub(crate) async fn start(events: &[TestEvent]) -> Recorder {
        let shared = Shared {
            events: events.iter().cloned().collect(),
            ..Shared::default()
        };
        let state = Arc::new(RecorderState {
            shared: Mutex::new(shared),
            idle: Notify::new(),
        });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answer))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(state.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Recorder { address, state }
    }

    /// Waits until the client has answered all events and asks for another one.
    pub(crate) async fn idle(&self) {
        self.state.idle.notified().await;
    }

    /// Returns what the client posted.
    pub(crate) fn posts(&self) -> Vec<String> {
        self.state.shared().posts.clone()
    }
}

async fn next(State(state): State<Arc<RecorderState>>) -> Response {
    let event = {
        let mut shared = state.shared();
        if shared.running.is_some() {
            return (StatusCode::FORBIDDEN, "{}").into_response();
        }
        let event = shared.events.pop_front();
        shared.sent += usize::from(event.is_some());
        shared.running = event.is_some().then(|| format!("id-{}", shared.sent));
        event.zip(shared.running.clone())
    };
    let Some((event, id)) = event else {
        state.idle.notify_one();
        return std::future::pending().await;
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let deadline = (now + Duration::from_secs(20)).as_millis().to_string();
    let trace = format!("Root={id}");
    let headers = [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", id.as_str()),
        ("lambda-runtime-deadline-ms", &deadline),
        ("lambda-runtime-invoked-function-arn", "arn:of:worker"),
        ("lambda-runtime-trace-id", &trace),
    ];
    let headers = headers.iter().chain(event.headers);
    let headers: HeaderMap = headers
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                value.parse().expect("a value"),
            )
        })
        .collect();
    (headers, event.body).into_response()
}

async fn answer(
    State(state): State<Arc<RecorderState>>,
    Path((id, kind)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let collected = body.collect().await;
    let mut shared = state.shared();
    if shared.running.as_deref() != Some(&*id) {
        return (StatusCode::BAD_REQUEST, "{}").into_response();
    }
    shared.running = None;
    // The client aborted the request.
    let Ok(collected) = collected else {
        shared.posts.push(format!("{kind} {id} aborted"));
        return StatusCode::BAD_REQUEST.into_response();
    };
    let trailers = collected.trailers().cloned().unwrap_or_default();
    let body = collected.to_bytes();
    if body.len() > MAX_ANSWER {
        shared
            .posts
            .push(format!("{kind} {id} of {} bytes", body.len()));
        return (
            StatusCode::PAYLOAD_TOO_LARGE,
            "{\"errorType\":\"RequestEntityTooLarge\"}",
        )
            .into_response();
    }
    let text = |headers: &HeaderMap, name: &str| {
        headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mode = text(&headers, "lambda-runtime-function-response-mode").unwrap_or_default();
    let content_type = text(&headers, "content-type").unwrap_or_default();
    let body = String::from_utf8_lossy(&body);
    let mut recorded = format!("{kind} {id} {content_type} {mode}: {body}");
    if let Some(error) = text(&trailers, "lambda-runtime-function-error-body") {
        let kind = text(&trailers, "lambda-runtime-function-error-type").unwrap_or_default();
        let error = STANDARD.decode(error).expect("base64");
        recorded += &format!("\nfailed with {kind}: {}", String::from_utf8_lossy(&error));
    }
    shared.posts.push(recorded);
    (StatusCode::ACCEPTED, "{\"status\":\"OK\"}\n").into_response()
}

async fn init_error(
    State(state): State<Arc<RecorderState>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let kind = headers.get("lambda-runtime-function-error-type");
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    state
        .shared()
        .posts
        .push(format!("init error {kind}: {body}"));
    (StatusCode::ACCEPTED, "{\"status\":\"OK\"}\n").into_response()
}
