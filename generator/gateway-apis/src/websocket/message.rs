//! Handling of a message: selecting its route, calling the function, returning an answer.

use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use stackgen_gateway_common::{
    Event, FailureEvidence, FrameText, MessageOutcome, RouteKey, trace_id,
};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::WebSocketApi;
use super::answer::ReportedFailure;
use super::call_trace::CallTrace;
use super::client::Client;
use super::error_frame::ErrorFrame;
use super::failure_records;
use super::integration::IntegrationCall;
use super::log::{self, LoggedStatus};
use super::payloads::{self, EventType, RequestContext, RequestStamp};
use super::selection::select;
use crate::apis::{ServedStage, Snapshot, StoredRoute};

/// Handles a message. Returns the frame to send back, if any.
pub(super) async fn handle(
    api: Arc<WebSocketApi>,
    client: Arc<Client>,
    body: Utf8Bytes,
) -> Option<Bytes> {
    let started = Instant::now();
    let connection = &client.connection;
    let served = api.plane.apis.served(&api.api, connection.stage.as_str());
    let stamp = RequestStamp::now();
    let route = served.as_deref().and_then(|it| route(it, &body));
    let key = route.map(|(route, _)| &route.route_key);
    let key_text = key.map_or("", RouteKey::as_str);
    let context = RequestContext::new(&client, EventType::Message, key_text, stamp);
    let called = CallTrace::default();
    let result = match (served.as_deref(), route) {
        (Some(served), Some((route, snapshot))) => {
            let call = IntegrationCall {
                api: &api,
                served,
                snapshot,
                route,
                context: &context,
                handshake: None,
                body: &body,
                trace: &called,
            };
            run(&call).await
        }
        _ => Err(no_route(served.as_deref(), &body)),
    };
    if let Some(served) = &served {
        let error = result.as_ref().err();
        let status = LoggedStatus {
            code: error.map_or(200, |it| it.status),
            error: error.map(|it| it.message),
        };
        log::write(&api, &served.stage, &context, status);
    }
    let took = started.elapsed();
    let frame = match &result {
        Ok(answer) => answer.frame.clone(),
        Err(error_frame) => Some(error_frame.render(&context)),
    };
    api.plane.events.send(Event::Message {
        connection: connection.id.clone(),
        route: key.cloned(),
        bytes: body.len(),
        body: FrameText::copy(&body),
        call: called.into_call(),
        answer: frame.clone().map(FrameText::new),
        outcome: outcome(&result),
        evidence: evidence(&result).cloned(),
        took,
    });
    let failed = match result {
        Ok(answer) => answer.failed.map(|failed| *failed),
        Err(error_frame) => Some(error_frame),
    };
    if let Some(failed) = failed {
        failure_records::message(&api, served.as_deref(), &client, &context, failed);
    }
    frame
}

/// Selects the route of a message (rows M1, M2) in the snapshot that the stage serves (row M3).
fn route<'a>(served: &'a ServedStage, body: &str) -> Option<(&'a StoredRoute, &'a Snapshot)> {
    let snapshot = served.snapshot.as_deref()?;
    let selected = select(&snapshot.api.route_selection_expression, body);
    // Only the gateway itself calls these routes.
    let reserved = matches!(selected.as_str(), RouteKey::CONNECT | RouteKey::DISCONNECT);
    let matching = snapshot.route(&selected).filter(|_| !reserved);
    let route = matching.or_else(|| snapshot.route(RouteKey::DEFAULT))?;
    Some((route, snapshot))
}

/// Returns the error of a message that no route matches (row M3).
fn no_route(served: Option<&ServedStage>, body: &str) -> ErrorFrame {
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
    ErrorFrame::new(403, "Forbidden", reason, "M3")
}

/// Answer to a message that was routed.
#[derive(Default)]
struct MessageAnswer {
    /// Frame for the client of a two-way route.
    frame: Option<Bytes>,
    /// Failure that the function reported with its status, and that the client does not see (row M7).
    failed: Option<Box<ErrorFrame>>,
}

/// Checks throttling and the model, then calls the integration.
async fn run(call: &IntegrationCall<'_>) -> Result<MessageAnswer, ErrorFrame> {
    let IntegrationCall {
        api, served, route, ..
    } = call;
    if !api
        .throttles
        .admit(&served.stage, &route.route_key, Instant::now())
    {
        let reason = format!("the stage throttles {}", route.route_key);
        return Err(ErrorFrame::new(429, "Too Many Requests", reason, "M19"));
    }
    if let Err(reason) = api.models.check(call.snapshot, route, call.body) {
        return Err(ErrorFrame::new(400, "Bad request body", reason, "M6"));
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
    let called = |error_frame: ErrorFrame| ErrorFrame {
        function: call.function_name(),
        ..error_frame
    };
    let answer = call.run(event, trace_id).await;
    let answer = answer.map_err(ErrorFrame::from_failure).map_err(called)?;
    let (body, reported) = answer.into_body().await;
    let failed = reported.map(|failure| Box::new(called(silent_failure(failure))));
    if !call.snapshot.is_two_way(route) {
        // The function's answer is dropped (row M7).
        return Ok(MessageAnswer {
            frame: None,
            failed,
        });
    }
    let largest = api.plane.settings.limits.message;
    match body {
        Some(text) if text.len() > largest => {
            let reason = format!("the answer has {} bytes, over {largest}", text.len());
            let error_frame = ErrorFrame::new(500, "Internal server error", reason, "M8");
            Err(called(error_frame))
        }
        body => Ok(MessageAnswer {
            frame: body.map(Bytes::from),
            failed,
        }),
    }
}

/// Returns the record of a failure for which no frame is sent.
fn silent_failure(failure: ReportedFailure) -> ErrorFrame {
    let reason = failure.reason();
    ErrorFrame {
        evidence: Some(Box::new(failure.evidence)),
        ..ErrorFrame::new(failure.status, "", reason, "M7")
    }
}

fn evidence(result: &Result<MessageAnswer, ErrorFrame>) -> Option<&FailureEvidence> {
    let error_frame = match result {
        Ok(answer) => answer.failed.as_deref()?,
        Err(error_frame) => error_frame,
    };
    error_frame.evidence.as_deref()
}

fn outcome(result: &Result<MessageAnswer, ErrorFrame>) -> MessageOutcome {
    match result {
        Ok(MessageAnswer { frame, failed }) => match (frame, failed) {
            (frame, Some(failed)) => MessageOutcome::Failed {
                status: failed.status,
                bytes: frame.as_ref().map(Bytes::len),
            },
            (Some(answer), None) => MessageOutcome::Answered {
                bytes: answer.len(),
            },
            (None, None) => MessageOutcome::Taken,
        },
        Err(error_frame) => MessageOutcome::Error {
            message: error_frame.message,
            reason: error_frame.reason.clone(),
            row: error_frame.row,
        },
    }
}
