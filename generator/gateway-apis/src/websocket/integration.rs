//! Calls of a route's integration.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use stackgen_gateway_common::invoke::{
    Invocation, InvocationCaller, InvocationOutcome, InvokeError,
};
use stackgen_gateway_common::services::{ServiceCall, ServiceOperation};
use stackgen_gateway_common::{FailureEvidence, FunctionArn, ThrownError};

use super::WebSocketApi;
use super::answer::IntegrationAnswer;
use super::call_trace::CallTrace;
use super::endpoint::{self, EndpointRequest, backend_answer};
use super::evidence::InvocationLog;
use super::failure::{IntegrationFailure, IntegrationFailureKind};
use super::mapping::{
    BackendAnswer, IntegrationParameters, IntegrationTarget, MappingContext, map_parameters,
    map_request, map_response, render_request,
};
use super::payloads::RequestContext;
use super::proxy_response::{ProxyResponse, parse_status};
use super::request::HandshakeRequest;
use crate::apis::{
    Pairs, ServedStage, Snapshot, StoredIntegration, StoredRoute, substitute_variables,
};

/// A call of a route's integration.
#[derive(Clone, Copy)]
pub(super) struct IntegrationCall<'a> {
    pub(super) api: &'a WebSocketApi,
    pub(super) served: &'a ServedStage,
    pub(super) snapshot: &'a Snapshot,
    pub(super) route: &'a StoredRoute,
    pub(super) context: &'a RequestContext<'a>,
    /// Request of the handshake, for `$connect`.
    pub(super) handshake: Option<&'a HandshakeRequest>,
    /// Message, or an empty text.
    pub(super) body: &'a str,
    /// Receives the call of the route's function.
    pub(super) trace: &'a CallTrace,
}

impl IntegrationCall<'_> {
    /// Calls the route's integration with an event.
    pub(super) async fn run(
        &self,
        event: Bytes,
        trace_id: String,
    ) -> Result<IntegrationAnswer, IntegrationFailure> {
        let Some(integration) = self.snapshot.integration(self.route) else {
            let key = &self.route.route_key;
            return Err(IntegrationFailure::unreachable(format!(
                "route {key} has no integration"
            )));
        };
        match integration.integration_type.as_str() {
            "AWS_PROXY" => {
                let (outcome, log) = self.invoke(integration, event, trace_id).await?;
                function_answer(&outcome, log).await
            }
            "AWS" => {
                let answer = self.call_backend(integration, trace_id).await?;
                map_response(self.snapshot, integration, &answer, self.mapping())
            }
            "MOCK" => {
                let answer = self.mock(integration)?;
                map_response(self.snapshot, integration, &answer, self.mapping())
            }
            "HTTP" => {
                let payload = map_request(integration, self.body, self.mapping())?;
                let answer = self.call_endpoint(integration, payload, &trace_id).await?;
                map_response(self.snapshot, integration, &answer, self.mapping())
            }
            "HTTP_PROXY" => {
                let payload = self.body.to_owned();
                let answer = self.call_endpoint(integration, payload, &trace_id).await?;
                Ok(proxy_answer(answer))
            }
            other => Err(IntegrationFailure::unreachable(format!(
                "{other} is not a type of integration of WebSocket APIs"
            ))),
        }
    }

    /// Returns the name of the route's function, if it has one.
    pub(super) fn function_name(&self) -> Option<String> {
        let integration = self.snapshot.integration(self.route)?;
        let uri = integration.integration_uri.as_deref();
        let variables = &self.served.stage.stage_variables;
        Some(function(uri, variables).ok()?.qualified_name())
    }

    /// Invokes the integration's function.
    async fn invoke(
        &self,
        integration: &StoredIntegration,
        payload: Bytes,
        trace_id: String,
    ) -> Result<(InvocationOutcome, InvocationLog), IntegrationFailure> {
        let variables = &self.served.stage.stage_variables;
        let function = function(integration.integration_uri.as_deref(), variables)?;
        let (sender, log) = InvocationLog::new();
        let called = function.qualified_name();
        let invocation = Invocation {
            function,
            payload,
            caller: self.caller(integration.credentials_arn.as_deref()),
            trace_id,
            log: Some(sender),
        };
        let invoked = self.api.plane.functions.invoke(invocation);
        let invoked = self.within_timeout(integration, invoked).await?;
        match invoked {
            Ok(outcome) => {
                self.trace.record(called, &outcome);
                Ok((outcome, log))
            }
            Err(InvokeError { message, .. }) => Err(IntegrationFailure::unreachable(message)),
        }
    }

    /// Waits for a backend as long as the integration does (row C8).
    async fn within_timeout<T>(
        &self,
        integration: &StoredIntegration,
        answer: impl Future<Output = T>,
    ) -> Result<T, IntegrationFailure> {
        let within = Duration::from_millis(integration.timeout_in_millis);
        let within = within.min(self.api.plane.settings.limits.integration);
        let answer = tokio::time::timeout(within, answer).await;
        answer.map_err(|_| IntegrationFailure {
            kind: IntegrationFailureKind::TimedOut,
            reason: format!("the integration took over {} ms", within.as_millis()),
            evidence: None,
        })
    }

    fn mapping(&self) -> MappingContext<'_> {
        MappingContext {
            request: self.context,
            stage_variables: &self.served.stage.stage_variables,
            handshake: self.handshake,
        }
    }

    /// Calls the function or service of an `AWS` integration with its request template.
    async fn call_backend(
        &self,
        integration: &StoredIntegration,
        trace_id: String,
    ) -> Result<BackendAnswer, IntegrationFailure> {
        let payload = map_request(integration, self.body, self.mapping())?;
        let uri = integration.integration_uri.as_deref().unwrap_or_default();
        let uri = substitute_variables(uri, &self.served.stage.stage_variables);
        match IntegrationTarget::parse(&uri) {
            Some(IntegrationTarget::Function) => {
                let (outcome, _) = self.invoke(integration, payload.into(), trace_id).await?;
                // An error of the function is an answer that an integration response may select (row M22).
                let error = ThrownError::read(&outcome.payload).filter(|_| outcome.failed);
                Ok(BackendAnswer {
                    status: 200,
                    body: text(&outcome.payload),
                    error_message: error.map(|error| error.message),
                    bytes: outcome.payload.clone(),
                    ..BackendAnswer::default()
                })
            }
            Some(IntegrationTarget::Service { service, operation }) => {
                self.call_service(integration, &service, operation, payload)
                    .await
            }
            None => Err(IntegrationFailure::unreachable(format!(
                "{uri} is not the URI of a function or of an action of a service; see `stackgen explain F3`"
            ))),
        }
    }

    /// Calls an action or a path of a service (rows M23, M24).
    async fn call_service(
        &self,
        integration: &StoredIntegration,
        service: &str,
        operation: ServiceOperation,
        payload: String,
    ) -> Result<BackendAnswer, IntegrationFailure> {
        let role = integration.credentials_arn.clone().ok_or_else(|| {
            IntegrationFailure::unreachable(format!(
                "the integration calls {service} and has no CredentialsArn; see `stackgen explain M23`"
            ))
        })?;
        let parameters = self.parameters(integration)?;
        let operation = match operation {
            ServiceOperation::Action(action) => ServiceOperation::Action(action),
            ServiceOperation::Path(path) => ServiceOperation::Path(parameters.fill(&path)),
        };
        let call = self.api.plane.services.call(ServiceCall {
            service: service.to_owned(),
            operation,
            method: endpoint::method(integration)?,
            headers: parameters.headers,
            query: parameters.query,
            body: endpoint::decoded(integration, payload),
            role,
        });
        let answer = self.within_timeout(integration, call).await?;
        let answer = answer.map_err(|error| IntegrationFailure::unreachable(error.to_string()))?;
        Ok(backend_answer(answer))
    }

    /// Calls an HTTP endpoint (row M25).
    async fn call_endpoint(
        &self,
        integration: &StoredIntegration,
        body: String,
        trace_id: &str,
    ) -> Result<BackendAnswer, IntegrationFailure> {
        let request = EndpointRequest {
            api: &self.api.api,
            integration,
            stage_variables: &self.served.stage.stage_variables,
            parameters: self.parameters(integration)?,
            handshake: self.handshake,
            trace_id,
            body,
        };
        let sent = self.api.plane.endpoints.send(request.build()?);
        let response = self.within_timeout(integration, sent).await?;
        let response =
            response.map_err(|error| IntegrationFailure::unreachable(error.to_string()))?;
        Ok(backend_answer(response))
    }

    fn parameters(
        &self,
        integration: &StoredIntegration,
    ) -> Result<IntegrationParameters, IntegrationFailure> {
        map_parameters(integration, self.body, self.mapping())
    }

    fn caller(&self, role: Option<&str>) -> InvocationCaller {
        match role {
            Some(role) => InvocationCaller::Role(role.to_owned()),
            None => InvocationCaller::ApiGateway {
                source_arn: self
                    .api
                    .route_arn(&self.served.stage.stage_name, &self.route.route_key),
            },
        }
    }

    /// Returns the status that a mock integration's request template names, or 200 without a template.
    fn mock(&self, integration: &StoredIntegration) -> Result<BackendAnswer, IntegrationFailure> {
        let status = match render_request(integration, self.body, self.mapping())? {
            Some(request) => {
                let status = serde_json::from_str::<Value>(&request).ok();
                let status = status.and_then(|request| parse_status(request.get("statusCode")?));
                status.ok_or_else(|| {
                    IntegrationFailure::unreachable(
                        "the request template of the MOCK integration renders no {\"statusCode\": NUMBER}",
                    )
                })?
            }
            None => 200,
        };
        Ok(BackendAnswer {
            status,
            ..BackendAnswer::default()
        })
    }
}

/// Returns the response of a function, or the failure of one that threw an error or returned no response.
async fn function_answer(
    outcome: &InvocationOutcome,
    log: InvocationLog,
) -> Result<IntegrationAnswer, IntegrationFailure> {
    let (kind, reason) = match outcome.failed {
        true => (
            IntegrationFailureKind::Failed,
            describe_error(&outcome.payload),
        ),
        false => match ProxyResponse::parse(&outcome.payload) {
            Ok(response) => return Ok(IntegrationAnswer::Returned { response, log }),
            Err(reason) => (IntegrationFailureKind::Malformed, reason),
        },
    };
    let evidence = FailureEvidence {
        error: ThrownError::read(&outcome.payload).filter(|_| outcome.failed),
        log: log.first_lines().await,
    };
    Err(IntegrationFailure {
        kind,
        reason,
        evidence: Some(Box::new(evidence)),
    })
}

/// Returns the answer of an endpoint, which `HTTP_PROXY` passes on.
fn proxy_answer(answer: BackendAnswer) -> IntegrationAnswer {
    let mut headers = answer.headers.into_iter();
    let protocol = headers.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"));
    IntegrationAnswer::Mapped {
        status: answer.status,
        body: Some(answer.body).filter(|body| !body.is_empty()),
        protocol: protocol.map(|(_, value)| value),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the function of a URI after substituting stage variables, which change without a deployment (row D2).
pub(super) fn function(
    uri: Option<&str>,
    variables: &Pairs,
) -> Result<FunctionArn, IntegrationFailure> {
    let uri = uri.ok_or_else(|| IntegrationFailure::unreachable("there is no function URI"))?;
    let named = substitute_variables(uri, variables);
    FunctionArn::from_uri(&named).ok_or_else(|| {
        IntegrationFailure::unreachable(format!(
            "{named} is not the invocation URI of a function (row F3)"
        ))
    })
}

/// Describes a function's error by its type. The message is left out, because it may contain data that a client sent;
/// it is in the function's log.
pub(super) fn describe_error(payload: &[u8]) -> String {
    match ThrownError::read(payload) {
        Some(thrown) => format!("the function failed with {}", thrown.error_type),
        None => "the function failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_d2_a_stage_variable_names_the_function() {
        let variables = Pairs::from([("fn".to_owned(), "echo:live".to_owned())]);
        let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.fn}/invocations";
        let arn = function(Some(uri), &variables).unwrap();
        assert_eq!(
            (arn.name.as_str(), arn.qualifier.as_deref()),
            ("echo", Some("live"))
        );
        assert!(function(Some("https://example.com"), &variables).is_err());
        assert!(function(None, &variables).is_err());
    }
}
