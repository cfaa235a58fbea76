//! REQUEST authorizers, which API Gateway calls once, before `$connect` (row A1).

mod output;
mod policy;

use std::time::{Duration, Instant};

use serde::Deserialize;
use stackgen_gateway_common::invoke::{Invocation, InvocationCaller, InvocationOutcome};
use stackgen_gateway_common::{
    AuthorizerCall, AuthorizerRecord, FailureEvidence, JsonText, RouteKey, ThrownError,
};

use output::{AuthorizerOutput, AuthorizerOutputError};

use super::WebSocketApi;
use super::evidence::InvocationLog;
use super::failure::IntegrationFailure;
use super::integration;
use super::payloads::{self, RequestContext};
use super::principal::Principal;
use super::refusal::WebSocketRefusal;
use super::request::HandshakeRequest;
use crate::apis::{StoredAuthorizer, StoredStage};

/// Principal with the API key that the authorizer returned (row A15).
pub(super) struct AuthorizerResult {
    pub(super) principal: Principal,
    pub(super) usage_identifier_key: Option<String>,
}

/// Calls the authorizer of `$connect` and evaluates its policy.
pub(super) async fn authorize(
    api: &WebSocketApi,
    authorizer: &StoredAuthorizer,
    stage: &StoredStage,
    request: &HandshakeRequest,
    context: &RequestContext<'_>,
) -> Result<AuthorizerResult, WebSocketRefusal> {
    for source in &authorizer.identity_source {
        check_identity_source(source, stage, request, context)?;
    }
    let method_arn = api.route_arn(&stage.stage_name, RouteKey::CONNECT);
    let event = payloads::authorizer(
        &method_arn,
        &request.headers(true),
        &request.query(),
        &stage.stage_variables,
        context,
    );
    let started = Instant::now();
    let (outcome, log) = invoke(api, authorizer, stage, request, event).await?;
    if outcome.failed {
        let evidence = FailureEvidence {
            error: ThrownError::read(&outcome.payload),
            log: log.first_lines().await,
        };
        let refusal = refusal_from_error(&outcome.payload);
        return Err(refusal.with_evidence(Some(Box::new(evidence))));
    }
    let latency = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let output = AuthorizerOutput::read(&outcome.payload, latency).map_err(
        |AuthorizerOutputError(reason, row)| {
            WebSocketRefusal::internal(format!("authorizer: {reason}"), row)
        },
    )?;
    output
        .policy
        .allows(&method_arn)
        .map_err(|reason| WebSocketRefusal::forbidden(reason, "A5"))?;
    Ok(AuthorizerResult {
        principal: output.principal,
        usage_identifier_key: output.usage_identifier_key,
    })
}

async fn invoke(
    api: &WebSocketApi,
    authorizer: &StoredAuthorizer,
    stage: &StoredStage,
    request: &HandshakeRequest,
    event: bytes::Bytes,
) -> Result<(InvocationOutcome, InvocationLog), WebSocketRefusal> {
    let uri = authorizer.authorizer_uri.as_deref();
    let function = integration::function(uri, &stage.stage_variables).map_err(
        |IntegrationFailure { reason, .. }| {
            WebSocketRefusal::internal(format!("authorizer: {reason}"), "A7")
        },
    )?;
    let (sender, log) = InvocationLog::new();
    let mut called = AuthorizerCall {
        function: function.qualified_name(),
        version: None,
        event: JsonText(event.clone()),
        output: None,
        took: Duration::ZERO,
    };
    let invocation = Invocation {
        function,
        payload: event,
        caller: match &authorizer.authorizer_credentials_arn {
            Some(role) => InvocationCaller::Role(role.clone()),
            None => InvocationCaller::ApiGateway {
                source_arn: api.arn(format_args!("authorizers/{}", authorizer.authorizer_id)),
            },
        },
        trace_id: request.trace_id.clone(),
        log: Some(sender),
    };
    let invoked = api.plane.functions.invoke(invocation);
    let within = api.plane.settings.limits.integration;
    let started = Instant::now();
    let answer = tokio::time::timeout(within, invoked).await;
    called.took = started.elapsed();
    if let Ok(Ok(outcome)) = &answer {
        called.version = Some(outcome.executed_version.clone());
        called.output = Some(JsonText(outcome.payload.clone()));
    }
    // An authorizer is called once per handshake.
    let _ = request.authorizer_call.set(called);
    match answer {
        Ok(Ok(outcome)) => Ok((outcome, log)),
        Ok(Err(error)) => Err(WebSocketRefusal::internal(
            format!("authorizer: {error}"),
            "A16",
        )),
        Err(_) => Err(WebSocketRefusal::internal(
            "the authorizer took too long",
            "A7",
        )),
    }
}

/// Maps the error of a failed authorizer: exactly `Unauthorized` becomes 401 (row A6), all others 500 (row A7).
fn refusal_from_error(payload: &[u8]) -> WebSocketRefusal {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ErrorPayload {
        error_message: String,
    }
    match serde_json::from_slice::<ErrorPayload>(payload) {
        Ok(error) if error.error_message == "Unauthorized" => {
            WebSocketRefusal::unauthorized("the authorizer failed with Unauthorized", "A6")
        }
        _ => WebSocketRefusal::internal(
            format!("authorizer: {}", integration::describe_error(payload)),
            "A7",
        ),
    }
}

/// Returns the record of an authorizer: its function, and the allowed principal or the reason for the refusal.
pub(super) fn record(
    authorizer: &StoredAuthorizer,
    stage: &StoredStage,
    verdict: Result<&str, &WebSocketRefusal>,
) -> AuthorizerRecord {
    let uri = authorizer.authorizer_uri.as_deref();
    let function = integration::function(uri, &stage.stage_variables).ok();
    AuthorizerRecord {
        function: function.as_ref().map(|it| it.qualified_name()),
        verdict: match verdict {
            Ok(principal) => format!("allowed as `{principal}`"),
            Err(refusal) => refusal.reason.clone(),
        },
    }
}

/// Checks that an identity source has a value (rows A2, A3).
fn check_identity_source(
    source: &str,
    stage: &StoredStage,
    request: &HandshakeRequest,
    context: &RequestContext<'_>,
) -> Result<(), WebSocketRefusal> {
    let is_present = if let Some(name) = source.strip_prefix("route.request.header.") {
        // With the headers that API Gateway adds, such as X-Forwarded-Proto.
        let headers = request.headers(true);
        let value = headers.first(name);
        value.is_some_and(|value| !value.is_empty())
    } else if let Some(name) = source.strip_prefix("route.request.querystring.") {
        request
            .parameter(name)
            .is_some_and(|value| !value.is_empty())
    } else if let Some(name) = source.strip_prefix("context.") {
        context
            .variable(name)
            .is_some_and(|value| !value.is_empty())
    } else if let Some(name) = source.strip_prefix("stageVariables.") {
        stage
            .stage_variables
            .get(name)
            .is_some_and(|value| !value.is_empty())
    } else {
        let reason = format!("{source} is not an identity source of a WebSocket API");
        return Err(WebSocketRefusal::internal(reason, "A3"));
    };
    if is_present {
        return Ok(());
    }
    let reason =
        format!("identity source {source} is missing or empty; the authorizer was not called");
    Err(WebSocketRefusal::unauthorized(reason, "A2"))
}
