//! API Gateway's management API, `@connections`, for tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;
use tokio::sync::watch;

use super::server::Server;
use stackgen_websocket::ConnectionId;

/// Maximum size of a message, in bytes (row K6).
const MAX_MESSAGE: usize = 128 * 1024;

/// Behavior of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionBehavior {
    /// Answers 200 to POST and GET, 204 to DELETE (rows K1 to K3).
    #[default]
    Ok,
    /// Answers 410, as if closed (row K4).
    Gone,
    /// Answers 429 a number of times, then like `Ok` (row K7).
    Busy {
        /// Number of times.
        times: u32,
    },
    /// Answers 413 (row K6) to messages of any size.
    TooLarge,
    /// Answers 403: the wrong stage, or no permission (row K5).
    Forbidden,
    /// Answers 500.
    Failing,
    /// Answers like `Ok`, after this time.
    Slow(Duration),
    /// Never answers.
    Hanging,
}

/// A received request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagementRequest {
    /// GET, POST or DELETE.
    pub method: Method,
    /// Stage in the path.
    pub stage: String,
    /// Connection ID, decoded once.
    pub connection_id: ConnectionId,
    /// Body of a POST: the message.
    pub body: Bytes,
    /// Status of the response; `None` until it is sent.
    pub status: Option<StatusCode>,
}

/// An `@connections` endpoint on a free loopback port.
///
/// Requests must have a SigV4 signature (service `execute-api`) and a connection ID that is percent-encoded once.
/// Otherwise the endpoint answers 403, as API Gateway does.
#[derive(Debug)]
pub struct ManagementEndpoint {
    state: Arc<EndpointState>,
    server: Server,
}

#[derive(Debug, Default)]
struct EndpointState {
    behaviors: Mutex<Behaviors>,
    requests: watch::Sender<Vec<ManagementRequest>>,
}

#[derive(Debug, Default)]
struct Behaviors {
    default: ConnectionBehavior,
    each: HashMap<ConnectionId, ConnectionBehavior>,
}

impl ManagementEndpoint {
    /// Starts an endpoint on which all connections are open.
    pub async fn start() -> Self {
        let state = Arc::new(EndpointState::default());
        let routes = Router::new()
            .route("/{stage}/@connections/{id}", any(answer))
            .with_state(Arc::clone(&state));
        let server = Server::start(routes).await;
        ManagementEndpoint { state, server }
    }

    /// Returns the URL with the stage `prod`, for a function's environment.
    pub fn url(&self) -> String {
        format!("http://{}/prod", self.server.address())
    }

    /// Sets the behavior of a connection.
    pub fn set(&self, id: &ConnectionId, behavior: ConnectionBehavior) {
        self.state.behaviors().each.insert(id.clone(), behavior);
    }

    /// Sets the behavior of all connections without [one of their own](Self::set).
    pub fn set_default(&self, behavior: ConnectionBehavior) {
        self.state.behaviors().default = behavior;
    }

    /// Returns all requests so far, in order of arrival.
    pub fn requests(&self) -> Vec<ManagementRequest> {
        self.state.requests.borrow().clone()
    }

    /// Returns the messages that were delivered to a connection, in order.
    pub fn messages(&self, id: &ConnectionId) -> Vec<Bytes> {
        messages(&self.state.requests.borrow(), id)
    }

    /// Waits for this many messages to a connection, and returns them.
    pub async fn wait_for_messages(&self, id: &ConnectionId, count: usize) -> Vec<Bytes> {
        let mut requests = self.state.requests.subscribe();
        let enough = requests
            .wait_for(|requests| messages(requests, id).len() >= count)
            .await;
        match enough {
            Ok(requests) => messages(&requests, id),
            // Does not occur: the sender is part of `self`.
            Err(_) => Vec::new(),
        }
    }

    /// Returns the connections that were closed with DELETE.
    pub fn deleted(&self) -> Vec<ConnectionId> {
        let requests = self.state.requests.borrow();
        let deleted = requests
            .iter()
            .filter(|request| request.status == Some(StatusCode::NO_CONTENT));
        deleted
            .map(|request| request.connection_id.clone())
            .collect()
    }
}

impl EndpointState {
    fn behaviors(&self) -> MutexGuard<'_, Behaviors> {
        self.behaviors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the behavior for this request, and counts down the 429 responses.
    fn take(&self, id: &ConnectionId) -> ConnectionBehavior {
        let mut answers = self.behaviors();
        let behavior = answers.each.get(id).copied();
        let behavior = behavior.unwrap_or(answers.default);
        if let ConnectionBehavior::Busy { times } = behavior {
            let Some(left) = times.checked_sub(1) else {
                return ConnectionBehavior::Ok;
            };
            answers
                .each
                .insert(id.clone(), ConnectionBehavior::Busy { times: left });
        }
        behavior
    }

    fn record(&self, request: ManagementRequest) -> usize {
        let mut index = 0;
        self.requests.send_modify(|requests| {
            index = requests.len();
            requests.push(request);
        });
        index
    }

    fn answered(&self, index: usize, response: Response) -> Response {
        let status = response.status();
        self.requests
            .send_modify(|requests| requests[index].status = Some(status));
        response
    }
}

async fn answer(
    State(state): State<Arc<EndpointState>>,
    Path((stage, id)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let connection_id = ConnectionId::new(id);
    let twice_encoded = connection_id.as_str().contains('%');
    let too_large = body.len() > MAX_MESSAGE;
    let index = state.record(ManagementRequest {
        method: method.clone(),
        stage,
        connection_id: connection_id.clone(),
        body,
        status: None,
    });
    let response = if !is_signed(&headers) {
        error(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException")
    } else if twice_encoded {
        error(StatusCode::FORBIDDEN, "ForbiddenException")
    } else if too_large {
        error(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException")
    } else {
        behave(state.take(&connection_id), &method).await
    };
    state.answered(index, response)
}

async fn behave(behavior: ConnectionBehavior, method: &Method) -> Response {
    match behavior {
        ConnectionBehavior::Ok => success(method),
        ConnectionBehavior::Gone => error(StatusCode::GONE, "GoneException"),
        ConnectionBehavior::Busy { .. } => {
            error(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException")
        }
        ConnectionBehavior::TooLarge => {
            error(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException")
        }
        ConnectionBehavior::Forbidden => error(StatusCode::FORBIDDEN, "ForbiddenException"),
        ConnectionBehavior::Failing => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerErrorException",
        ),
        ConnectionBehavior::Slow(time) => {
            tokio::time::sleep(time).await;
            success(method)
        }
        ConnectionBehavior::Hanging => std::future::pending().await,
    }
}

fn success(method: &Method) -> Response {
    match *method {
        Method::POST => StatusCode::OK.into_response(),
        Method::DELETE => StatusCode::NO_CONTENT.into_response(),
        Method::GET => axum::Json(json!({
            "connectedAt": "2024-02-09T18:11:43.419Z",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "Mozilla/5.0"},
            "lastActiveAt": "2024-02-09T18:11:43.419Z",
        }))
        .into_response(),
        _ => error(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException"),
    }
}

/// Returns an error in API Gateway's form: the type in a header, a message in the body.
fn error(status: StatusCode, error_type: &'static str) -> Response {
    let headers = [("x-amzn-errortype", error_type)];
    (status, headers, axum::Json(json!({"message": null}))).into_response()
}

/// Returns true if the request has a SigV4 signature for `execute-api` that covers the host.
fn is_signed(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(authorization) = text("authorization") else {
        return false;
    };
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(name)?;
        rest.split([',', ' ']).next()
    };
    let scope = part("Credential=").is_some_and(|credential| {
        let mut scope = credential.rsplit('/');
        scope.next() == Some("aws4_request") && scope.next() == Some("execute-api")
    });
    let host =
        part("SignedHeaders=").is_some_and(|names| names.split(';').any(|name| name == "host"));
    let signature = part("Signature=").is_some_and(|signature| {
        signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    authorization.starts_with("AWS4-HMAC-SHA256 ")
        && text("x-amz-date").is_some()
        && scope
        && host
        && signature
}

fn messages(requests: &[ManagementRequest], id: &ConnectionId) -> Vec<Bytes> {
    let received = requests.iter().filter(|request| {
        request.connection_id == *id
            && request.method == Method::POST
            && request.status == Some(StatusCode::OK)
    });
    received.map(|request| request.body.clone()).collect()
}

#[cfg(test)]
mod tests;
