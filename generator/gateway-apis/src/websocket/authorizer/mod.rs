//! REQUEST authorizers, which API Gateway calls once, before `$connect` (row A1).

mod output;
mod policy;

use std::time::Instant;

use serde::Deserialize;
use stackgen_gateway_common::invoke::{Caller, Invocation, Outcome};
use stackgen_gateway_common::{AuthorizerRecord, RouteKey, ThrownError};

pub(super) use output::Principal;
use output::{BadOutput, Output};

use super::WebSocketApi;
use super::integration::{self, Failure};
use super::payloads::{self, RequestContext};
use super::refusal::Refusal;
use super::request::Request;
use crate::apis::{Authorizer, Stage};

/// Principal with the API key that the authorizer returned (row A15).
pub(super) struct Authorized {
    pub(super) principal: Principal,
    pub(super) usage_identifier_key: Option<String>,
}

/// Calls the authorizer of `$connect` and evaluates its policy.
pub(super) async fn authorize(
    api: &WebSocketApi,
    authorizer: &Authorizer,
    stage: &Stage,
    request: &Request,
    context: &RequestContext<'_>,
) -> Result<Authorized, Refusal> {
    for source in &authorizer.identity_source {
        present(source, stage, request, context)?;
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
    let outcome = invoke(api, authorizer, stage, request, event).await?;
    if outcome.failed {
        return Err(thrown(&outcome.payload));
    }
    let latency = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let output = Output::read(&outcome.payload, latency).map_err(|BadOutput(reason, row)| {
        Refusal::internal(format!("authorizer: {reason}"), row)
    })?;
    output
        .policy
        .allows(&method_arn)
        .map_err(|reason| Refusal::forbidden(reason, "A5"))?;
    Ok(Authorized {
        principal: output.principal,
        usage_identifier_key: output.usage_identifier_key,
    })
}

async fn invoke(
    api: &WebSocketApi,
    authorizer: &Authorizer,
    stage: &Stage,
    request: &Request,
    event: bytes::Bytes,
) -> Result<Outcome, Refusal> {
    let uri = authorizer.authorizer_uri.as_deref();
    let function = integration::function(uri, &stage.stage_variables).map_err(
        |Failure { reason, .. }| Refusal::internal(format!("authorizer: {reason}"), "A7"),
    )?;
    let invocation = Invocation {
        function,
        payload: event,
        caller: match &authorizer.authorizer_credentials_arn {
            Some(role) => Caller::Role(role.clone()),
            None => Caller::ApiGateway {
                source_arn: api.arn(format_args!("authorizers/{}", authorizer.authorizer_id)),
            },
        },
        trace_id: request.trace_id.clone(),
    };
    let invoked = api.plane.functions.invoke(invocation);
    let within = api.plane.settings.limits.integration;
    match tokio::time::timeout(within, invoked).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(error)) => Err(Refusal::internal(format!("authorizer: {error}"), "A16")),
        Err(_) => Err(Refusal::internal("the authorizer took too long", "A7")),
    }
}

/// Maps the error of a failed authorizer: exactly `Unauthorized` becomes 401 (row A6), all others 500 (row A7).
fn thrown(payload: &[u8]) -> Refusal {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Thrown {
        error_message: String,
    }
    let refusal = match serde_json::from_slice::<Thrown>(payload) {
        Ok(thrown) if thrown.error_message == "Unauthorized" => {
            Refusal::unauthorized("the authorizer failed with Unauthorized", "A6")
        }
        _ => Refusal::internal(
            format!("authorizer: {}", integration::failed(payload)),
            "A7",
        ),
    };
    refusal.because_of(ThrownError::read(payload).map(Box::new))
}

/// Returns the record of an authorizer: its function, and the allowed principal or the reason for the refusal.
pub(super) fn record(
    authorizer: &Authorizer,
    stage: &Stage,
    verdict: Result<&str, &Refusal>,
) -> AuthorizerRecord {
    let uri = authorizer.authorizer_uri.as_deref();
    let function = integration::function(uri, &stage.stage_variables).ok();
    AuthorizerRecord {
        function: function.as_ref().map(integration::named),
        verdict: match verdict {
            Ok(principal) => format!("allowed as `{principal}`"),
            Err(refusal) => refusal.reason.clone(),
        },
    }
}

/// Checks that an identity source has a value (rows A2, A3).
fn present(
    source: &str,
    stage: &Stage,
    request: &Request,
    context: &RequestContext<'_>,
) -> Result<(), Refusal> {
    let there = if let Some(name) = source.strip_prefix("route.request.header.") {
        request.header(name).is_some_and(|value| !value.is_empty())
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
        return Err(Refusal::internal(reason, "A3"));
    };
    if there {
        return Ok(());
    }
    let reason =
        format!("identity source {source} is missing or empty; the authorizer was not called");
    Err(Refusal::unauthorized(reason, "A2"))
}
