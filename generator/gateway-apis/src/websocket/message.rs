//! Handling of a message: selecting its route, calling the function, returning an answer.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use stackgen_gateway_common::{Event, MessageOutcome, RouteKey, ThrownError, trace_id};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::WebSocketApi;
use super::client::Client;
use super::failure;
use super::integration::{Answer, Call, Failure, FailureKind};
use super::log::{self, Status};
use super::payloads::{self, EventType, Moment, RequestContext};
use super::selection::select;
use crate::apis::{Route, Served, Snapshot};

/// Content of an error frame.
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) message: &'static str,
    pub(super) reason: String,
    pub(super) row: &'static str,
    /// Function, if it was called.
    pub(super) function: Option<String>,
    /// Error that the function returned.
    pub(super) error: Option<Box<ThrownError>>,
}

impl Refused {
    fn new(
        status: u16,
        message: &'static str,
        reason: impl Into<String>,
        row: &'static str,
    ) -> Self {
        Refused {
            status,
            message,
            reason: reason.into(),
            row,
            function: None,
            error: None,
        }
    }
}

/// Handles a message. Returns the frame to send back, if any.
pub(super) async fn handle(
    api: Arc<WebSocketApi>,
    client: Arc<Client>,
    body: Utf8Bytes,
) -> Option<Bytes> {
    let started = Instant::now();
    let connection = &client.connection;
    let served = api.plane.apis.served(&api.api, connection.stage.as_str());
    let moment = Moment::now();
    let route = served.as_deref().and_then(|it| route(it, &body));
    let key = route.map(|(route, _)| &route.route_key);
    let key_text = key.map_or("", RouteKey::as_str);
    let context = RequestContext::new(&client, EventType::Message, key_text, moment);
    let result = match (served.as_deref(), route) {
        (Some(served), Some((route, snapshot))) => {
            let call = Call {
                api: &api,
                served,
                snapshot,
                route,
                context: &context,
                body: &body,
            };
            run(&call).await
        }
        _ => Err(nowhere(served.as_deref(), &body)),
    };
    if let Some(served) = &served {
        let error = result.as_ref().err();
        let status = Status {
            code: error.map_or(200, |it| it.status),
            error: error.map(|it| it.message),
        };
        log::write(&api, &served.stage, &context, status);
    }
    api.plane.events.tell(|| Event::Message {
        connection: connection.id.clone(),
        route: key.cloned(),
        bytes: body.len(),
        outcome: outcome(&result),
        took: started.elapsed(),
    });
    match result {
        Ok(answer) => answer,
        Err(refused) => {
            let answer = frame(refused.message, &context);
            failure::message(&api, served.as_deref(), &client, &context, refused);
            Some(answer)
        }
    }
}

/// Selects the route of a message (rows M1, M2) in the snapshot that the stage serves (row M3).
fn route<'a>(served: &'a Served, body: &str) -> Option<(&'a Route, &'a Snapshot)> {
    let snapshot = served.snapshot.as_deref()?;
    let selected = select(&snapshot.api.route_selection_expression, body);
    // Only the gateway itself calls these routes.
    let reserved = matches!(selected.as_str(), RouteKey::CONNECT | RouteKey::DISCONNECT);
    let own = snapshot.route(&selected).filter(|_| !reserved);
    let route = own.or_else(|| snapshot.route(RouteKey::DEFAULT))?;
    Some((route, snapshot))
}

/// Returns the error of a message that no route matches (row M3).
fn nowhere(served: Option<&Served>, body: &str) -> Refused {
    let reason = match served.and_then(|it| it.snapshot.as_deref()) {
        Some(snapshot) => {
            let expression = &snapshot.api.route_selection_expression;
            let selected: String = select(expression, body).chars().take(64).collect();
            format!(
                "{expression} is `{selected}`: no such route in the deployment, and no $default"
            )
        }
        None => "the stage has no deployment".to_owned(),
    };
    Refused::new(403, "Forbidden", reason, "M3")
}

/// Checks throttling and the model, then calls the integration.
async fn run(call: &Call<'_>) -> Result<Option<Bytes>, Refused> {
    let Call {
        api, served, route, ..
    } = call;
    if !api
        .throttles
        .admit(&served.stage, &route.route_key, Instant::now())
    {
        let reason = format!("the stage throttles {}", route.route_key);
        return Err(Refused::new(429, "Too Many Requests", reason, "M19"));
    }
    if let Err(reason) = api.models.check(call.snapshot, route, call.body) {
        return Err(Refused::new(400, "Bad request body", reason, "M6"));
    }
    let binary = call
        .snapshot
        .integration(route)
        .is_some_and(|it| it.content_handling_strategy.as_deref() == Some("CONVERT_TO_BINARY"))
        && STANDARD.decode(call.body).is_ok();
    let event = payloads::message(
        call.context,
        call.body,
        binary,
        &served.stage.stage_variables,
    );
    let trace_id = trace_id(call.context.request_time_epoch.as_millis() / 1000);
    let called = |refused: Refused| Refused {
        function: call.function_name(),
        ..refused
    };
    let answer = call.run(event, trace_id).await;
    let answer = answer.map_err(of_failure).map_err(called)?;
    if !call.snapshot.is_two_way(route) {
        // The function's answer is dropped (row M7).
        return Ok(None);
    }
    let answer = answer_of(answer).map_err(called)?;
    let largest = api.plane.settings.limits.message;
    match answer {
        Some(text) if text.len() > largest => {
            let reason = format!("the answer has {} bytes, over {largest}", text.len());
            let refused = Refused::new(500, "Internal server error", reason, "M8");
            Err(called(refused))
        }
        answer => Ok(answer),
    }
}

fn of_failure(failure: Failure) -> Refused {
    let reason = failure.reason;
    let refused = match failure.kind {
        FailureKind::TimedOut => Refused::new(504, "Endpoint request timed out", reason, "M5"),
        FailureKind::Failed => Refused::new(500, "Internal server error", reason, "M4"),
        FailureKind::Unreachable => Refused::new(500, "Internal server error", reason, "C7"),
    };
    Refused {
        error: failure.error,
        ..refused
    }
}

/// Returns the answer of a two-way route: `body` of the function's return value (row M8).
fn answer_of(answer: Answer) -> Result<Option<Bytes>, Refused> {
    #[derive(Deserialize)]
    struct ProxyResponse {
        body: Option<String>,
    }
    match answer {
        Answer::Mocked { body, .. } => Ok(body.map(Bytes::from)),
        Answer::Returned(payload) => match serde_json::from_slice::<ProxyResponse>(&payload) {
            Ok(response) => Ok(response.body.map(Bytes::from)),
            Err(_) => {
                let reason = "the function of a two-way route returned no {\"body\": \"…\"}";
                Err(Refused::new(500, "Internal server error", reason, "M8"))
            }
        },
    }
}

fn outcome(result: &Result<Option<Bytes>, Refused>) -> MessageOutcome {
    match result {
        Ok(None) => MessageOutcome::Taken,
        Ok(Some(answer)) => MessageOutcome::Answered {
            bytes: answer.len(),
        },
        Err(refused) => MessageOutcome::Error {
            message: refused.message,
            reason: refused.reason.clone(),
            row: refused.row,
        },
    }
}

/// Builds an error frame, byte for byte as API Gateway does.
fn frame(message: &str, context: &RequestContext<'_>) -> Bytes {
    let (connection, request) = (context.connection_id, &context.request_id);
    format!(r#"{{"message": "{message}", "connectionId":"{connection}", "requestId":"{request}"}}"#)
        .into()
}
