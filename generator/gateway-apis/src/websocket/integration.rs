//! Calls of a route's integration.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use stackgen_gateway_common::invoke::{Invocation, InvocationCaller, InvokeError};
use stackgen_gateway_common::{FunctionArn, RouteKey, ThrownError};

use super::WebSocketApi;
use super::failure::{IntegrationFailure, IntegrationFailureKind};
use super::payloads::RequestContext;
use super::selection::select;
use crate::access_log;
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
    /// Message, or an empty text.
    pub(super) body: &'a str,
}

/// Answer of an integration.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IntegrationAnswer {
    /// Return value of a function.
    Returned(Bytes),
    /// Answer of a mock integration.
    Mocked { status: u16, body: Option<String> },
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
            "AWS_PROXY" => self.invoke(integration, event, trace_id).await,
            "MOCK" => self.mock(integration),
            other => Err(IntegrationFailure::unreachable(format!(
                "{other} integrations are not supported here, only AWS_PROXY and MOCK"
            ))),
        }
    }

    /// Returns the name of the route's function, if it has one.
    pub(super) fn function_name(&self) -> Option<String> {
        let integration = self.snapshot.integration(self.route)?;
        let uri = integration.integration_uri.as_deref();
        let variables = &self.served.stage.stage_variables;
        Some(display_name(&function(uri, variables).ok()?))
    }

    async fn invoke(
        &self,
        integration: &StoredIntegration,
        event: Bytes,
        trace_id: String,
    ) -> Result<IntegrationAnswer, IntegrationFailure> {
        let variables = &self.served.stage.stage_variables;
        let function = function(integration.integration_uri.as_deref(), variables)?;
        let invocation = Invocation {
            function,
            payload: event,
            caller: self.caller(integration.credentials_arn.as_deref()),
            trace_id,
        };
        let within = Duration::from_millis(integration.timeout_in_millis);
        let within = within.min(self.api.plane.settings.limits.integration);
        let invoked = self.api.plane.functions.invoke(invocation);
        match tokio::time::timeout(within, invoked).await {
            Ok(Ok(outcome)) if outcome.failed => Err(IntegrationFailure {
                kind: IntegrationFailureKind::Failed,
                reason: describe_error(&outcome.payload),
                error: ThrownError::read(&outcome.payload).map(Box::new),
            }),
            Ok(Ok(outcome)) => Ok(IntegrationAnswer::Returned(outcome.payload)),
            Ok(Err(InvokeError { message, .. })) => Err(IntegrationFailure::unreachable(message)),
            Err(_) => Err(IntegrationFailure {
                kind: IntegrationFailureKind::TimedOut,
                reason: format!("the integration took over {} ms", within.as_millis()),
                error: None,
            }),
        }
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

    /// Returns the status in a mock integration's request template, and the body of its response template.
    fn mock(
        &self,
        integration: &StoredIntegration,
    ) -> Result<IntegrationAnswer, IntegrationFailure> {
        let expression = integration.template_selection_expression.as_deref();
        let template = select_template(&integration.request_templates, expression, self.body);
        let status = match template {
            Some(template) => status_in_template(template).ok_or_else(|| {
                IntegrationFailure::unreachable(
                    "the request template of the MOCK integration has no statusCode",
                )
            })?,
            None => 200,
        };
        let responses = self
            .snapshot
            .integration_responses
            .get(&integration.integration_id);
        let responses = responses.map_or(&[][..], Vec::as_slice);
        let by_status = |key: &str| key.trim_matches('/') == status.to_string();
        let response = responses
            .iter()
            .find(|it| by_status(&it.integration_response_key))
            .or_else(|| {
                responses
                    .iter()
                    .find(|it| it.integration_response_key == RouteKey::DEFAULT)
            });
        let body = response.and_then(|it| {
            let expression = it.template_selection_expression.as_deref();
            select_template(&it.response_templates, expression, self.body)
        });
        Ok(IntegrationAnswer::Mocked {
            status,
            body: body.map(|it| access_log::render(it, |name| self.context.variable(name))),
        })
    }
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

/// Returns the function's name, with its qualifier if it has one.
pub(super) fn display_name(function: &FunctionArn) -> String {
    match &function.qualifier {
        Some(qualifier) => format!("{}:{qualifier}", function.name),
        None => function.name.clone(),
    }
}

/// Describes a function's error by its type. The message is left out, because it may contain data that a client sent;
/// it is in the function's log.
pub(super) fn describe_error(payload: &[u8]) -> String {
    match ThrownError::read(payload) {
        Some(thrown) => format!("the function failed with {}", thrown.error_type),
        None => "the function failed".to_owned(),
    }
}

/// Returns the template that an expression selects, or the default template, or the only one.
fn select_template<'a>(
    templates: &'a Pairs,
    expression: Option<&str>,
    body: &str,
) -> Option<&'a str> {
    let key = select(expression.unwrap_or(RouteKey::DEFAULT), body);
    let keys = [key.as_str(), RouteKey::DEFAULT, "application/json"];
    let template = keys.into_iter().find_map(|key| templates.get(key));
    let only = || templates.values().next().filter(|_| templates.len() == 1);
    template.or_else(only).map(String::as_str)
}

/// Returns the number after `"statusCode":` in a template. VTL code in the template is not run.
fn status_in_template(template: &str) -> Option<u16> {
    if let Ok(Value::Object(members)) = serde_json::from_str(template) {
        return parse_status(members.get("statusCode")?);
    }
    let (_, after) = template.split_once("\"statusCode\"")?;
    let after = after.trim_start().strip_prefix(':')?.trim_start();
    let end = after
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(after.len());
    after[..end].parse().ok()
}

/// Parses a status code, which functions return as a number or as text.
pub(super) fn parse_status(value: &Value) -> Option<u16> {
    let status = match value {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    (200..=599).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_status_of_a_mock_is_found_in_a_template_with_vtl_code() {
        assert_eq!(status_in_template(r#"{"statusCode":200}"#), Some(200));
        assert_eq!(
            status_in_template("#set($x = 1)\n{\"statusCode\" : 403, #if(1) }"),
            Some(403)
        );
        assert_eq!(status_in_template("{}"), None);
        assert_eq!(status_in_template("{\"statusCode\": \"x\"}"), None);
    }

    #[test]
    fn row_c6_a_status_is_a_number_or_text_between_200_and_599() {
        assert_eq!(parse_status(&json!(200)), Some(200));
        assert_eq!(parse_status(&json!("401")), Some(401));
        for invalid in [
            json!(101),
            json!(600),
            json!(-1),
            json!(200.5),
            json!(null),
            json!("ok"),
        ] {
            assert_eq!(parse_status(&invalid), None, "{invalid}");
        }
    }

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
