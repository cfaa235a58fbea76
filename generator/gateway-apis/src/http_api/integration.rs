//! Calls of a route's integration.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use serde_json::Value;
use stackgen_gateway_common::FunctionArn;
use stackgen_gateway_common::invoke::{Caller, Invocation, InvokeError, InvokeErrorKind};

use super::Exchange;
use super::authorize::Authorized;
use super::payload::Of;
use super::refusal::Refusal;
use super::response::{Version, interpret};
use super::route::Matched;
use crate::apis::{Integration, with_variables};

/// Data of an integration for the access log.
#[derive(Debug, Default)]
pub(super) struct Integrated {
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
        matched: &Matched,
        authorized: &Authorized,
        integrated: &mut Integrated,
    ) -> Result<Response<Bytes>, Refusal> {
        let Some(integration) = self.snapshot.integration(&matched.route) else {
            return Err(Refusal::not_found("the route has no integration"));
        };
        let function = self.function(integration)?;
        let of = Of {
            exchange: self,
            matched,
        };
        let version = Version::of(integration.payload_format_version.as_deref());
        let event = match version {
            Version::V1 => of.v1(authorized),
            Version::V2 => of.v2(authorized),
        };
        let invocation = Invocation {
            function,
            payload: Value::Object(event).to_string().into(),
            caller: match &integration.credentials_arn {
                Some(role) => Caller::Role(role.clone()),
                None => Caller::ApiGateway {
                    source_arn: of.source_arn(),
                },
            },
            trace_id: self.request.trace_id.clone(),
        };
        let time = Duration::from_millis(integration.timeout_in_millis);
        let started = Instant::now();
        let outcome = self.api.plane.functions.invoke(invocation);
        let outcome = tokio::time::timeout(time, outcome).await;
        integrated.latency = Some(started.elapsed());
        let outcome = outcome.map_err(|_| {
            Refusal::unavailable(format!("the function took over {} ms", time.as_millis()))
        })?;
        let outcome = outcome.map_err(unreached)?;
        integrated.request_id = Some(outcome.request_id);
        if outcome.failed {
            return Err(Refusal::internal("the function failed"));
        }
        let response = interpret(version, &outcome.payload).map_err(Refusal::internal)?;
        integrated.status = Some(response.status().as_u16());
        Ok(response)
    }

    fn function(&self, integration: &Integration) -> Result<FunctionArn, Refusal> {
        let kind = integration.integration_type.as_str();
        let uri = integration.integration_uri.as_deref().unwrap_or_default();
        let uri = with_variables(uri, &self.served.stage.stage_variables);
        FunctionArn::of_uri(&uri)
            .filter(|_| kind == "AWS_PROXY")
            .ok_or_else(|| {
                Refusal::internal(format!(
                    "only Lambda proxy integrations are supported here, not {kind} of {uri:?}"
                ))
            })
    }
}

/// Maps the error of an invocation that did not reach a function.
pub(super) fn unreached(error: InvokeError) -> Refusal {
    match error.kind {
        InvokeErrorKind::TooLarge => Refusal::too_large(),
        InvokeErrorKind::TooManyRequests => Refusal::unavailable(error.message),
        _ => Refusal::internal(error.message),
    }
}
