//! Calls of a route's integration.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use serde_json::Value;
use stackgen_gateway_common::FunctionArn;
use stackgen_gateway_common::invoke::{Invocation, InvocationCaller, InvokeError, InvokeErrorKind};

use super::Exchange;
use super::authorization::RequestAuthorization;
use super::events::EventBuilder;
use super::refusal::HttpRefusal;
use super::response::{PayloadVersion, interpret};
use super::route::RouteMatch;
use crate::apis::{StoredIntegration, substitute_variables};

/// Data of an integration for the access log.
#[derive(Debug, Default)]
pub(super) struct IntegrationOutcome {
    pub(super) latency: Option<Duration>,
    /// Lambda's request ID.
    pub(super) request_id: Option<String>,
    /// Status that the function returned.
    pub(super) status: Option<u16>,
}

impl Exchange<'_> {
    /// Calls the route's function and builds the response.
    pub(super) async fn integrate(
        &self,
        matched: &RouteMatch,
        authorized: &RequestAuthorization,
        recorded: &mut IntegrationOutcome,
    ) -> Result<Response<Bytes>, HttpRefusal> {
        let Some(integration) = self.snapshot.integration(&matched.route) else {
            return Err(HttpRefusal::not_found("the route has no integration"));
        };
        let function = self.function(integration)?;
        let builder = EventBuilder {
            exchange: self,
            matched,
        };
        let version = PayloadVersion::parse(integration.payload_format_version.as_deref());
        let event = match version {
            PayloadVersion::V1 => builder.event_v1(authorized),
            PayloadVersion::V2 => builder.event_v2(authorized),
        };
        let invocation = Invocation {
            function,
            payload: Value::Object(event).to_string().into(),
            caller: match &integration.credentials_arn {
                Some(role) => InvocationCaller::Role(role.clone()),
                None => InvocationCaller::ApiGateway {
                    source_arn: builder.source_arn(),
                },
            },
            trace_id: self.request.trace_id.clone(),
            log: None,
        };
        let time = Duration::from_millis(integration.timeout_in_millis);
        let started = Instant::now();
        let outcome = self.api.plane.functions.invoke(invocation);
        let outcome = tokio::time::timeout(time, outcome).await;
        recorded.latency = Some(started.elapsed());
        let outcome = outcome.map_err(|_| {
            HttpRefusal::unavailable(format!("the function took over {} ms", time.as_millis()))
        })?;
        let outcome = outcome.map_err(from_invoke_error)?;
        recorded.request_id = Some(outcome.request_id);
        if outcome.failed {
            return Err(HttpRefusal::internal("the function failed"));
        }
        let response = interpret(version, &outcome.payload).map_err(HttpRefusal::internal)?;
        recorded.status = Some(response.status().as_u16());
        Ok(response)
    }

    fn function(&self, integration: &StoredIntegration) -> Result<FunctionArn, HttpRefusal> {
        let kind = integration.integration_type.as_str();
        let uri = integration.integration_uri.as_deref().unwrap_or_default();
        let uri = substitute_variables(uri, &self.served.stage.stage_variables);
        FunctionArn::from_uri(&uri)
            .filter(|_| kind == "AWS_PROXY")
            .ok_or_else(|| {
                HttpRefusal::internal(format!(
                    "only Lambda proxy integrations are supported here, not {kind} of {uri:?}"
                ))
            })
    }
}

/// Maps the error of an invocation that did not reach a function.
pub(super) fn from_invoke_error(error: InvokeError) -> HttpRefusal {
    match error.kind {
        InvokeErrorKind::TooLarge => HttpRefusal::too_large(),
        InvokeErrorKind::TooManyRequests => HttpRefusal::unavailable(error.message),
        _ => HttpRefusal::internal(error.message),
    }
}
