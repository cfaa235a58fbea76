//! Mapping of messages to integrations that are no proxies, and of their answers to clients (rows M20 to M24).

mod parameters;
mod response;
mod service_uri;

use serde_json::Value;
use stackgen_vtl::{
    RenderLimits, TemplateParameter, TemplateRequest, TemplateVariables, VtlTemplate,
};

use super::failure::IntegrationFailure;
use super::payloads::{MultiValues, RequestContext};
use super::request::HandshakeRequest;
use super::selection::select;
use crate::apis::{Pairs, StoredIntegration};
use stackgen_gateway_common::RouteKey;

pub(super) use parameters::{IntegrationParameters, map_parameters};
pub(super) use response::{BackendAnswer, map_response};
pub(super) use service_uri::IntegrationTarget;

/// The values that templates read besides the payload.
#[derive(Clone, Copy)]
pub(super) struct MappingContext<'a> {
    pub(super) request: &'a RequestContext<'a>,
    pub(super) stage_variables: &'a Pairs,
    /// Request of the handshake, for `$connect`. Messages have no headers and no query string (row E2).
    pub(super) handshake: Option<&'a HandshakeRequest>,
}

/// Returns the payload for an integration: its request template, rendered, or the message itself.
///
/// # Errors
///
/// If no template matches and the integration passes nothing through (row M21), or if the template cannot be rendered.
pub(super) fn map_request(
    integration: &StoredIntegration,
    body: &str,
    context: MappingContext<'_>,
) -> Result<String, IntegrationFailure> {
    match render_request(integration, body, context)? {
        Some(request) => Ok(request),
        None if passes_through(integration) => Ok(body.to_owned()),
        None => Err(IntegrationFailure::unreachable(
            "no request template matches the message, and PassthroughBehavior lets nothing through; see `stackgen explain M21`",
        )),
    }
}

/// Renders the request template that matches a message, if one does.
pub(super) fn render_request(
    integration: &StoredIntegration,
    body: &str,
    context: MappingContext<'_>,
) -> Result<Option<String>, IntegrationFailure> {
    let expression = integration.template_selection_expression.as_deref();
    let template = select_template(&integration.request_templates, expression, body);
    let rendered = template.map(|template| render("request", template, body, context));
    rendered.transpose()
}

/// Decides whether a message that no template matches is passed through (row M21).
fn passes_through(integration: &StoredIntegration) -> bool {
    match integration.passthrough_behavior.as_deref() {
        Some("NEVER") => false,
        Some("WHEN_NO_TEMPLATES") => integration.request_templates.is_empty(),
        _ => true,
    }
}

/// Returns the template that an expression selects, or else the default template. Without an expression, the template for
/// JSON or the only one serves as the default, too. Templates of CDK apps often have the key `\$default`.
fn select_template<'a>(
    templates: &'a Pairs,
    expression: Option<&str>,
    body: &str,
) -> Option<&'a str> {
    let default = templates
        .get(RouteKey::DEFAULT)
        .or_else(|| templates.get("\\$default"));
    let template = match expression {
        Some(expression) => templates.get(&select(expression, body)).or(default),
        None => {
            let only = || templates.values().next().filter(|_| templates.len() == 1);
            let json = || templates.get("application/json");
            default.or_else(json).or_else(only)
        }
    };
    template.map(String::as_str)
}

/// Renders a template (row M20).
fn render(
    what: &str,
    template: &str,
    body: &str,
    context: MappingContext<'_>,
) -> Result<String, IntegrationFailure> {
    let parameters = |values: Option<MultiValues<'_>>| {
        let values = values.unwrap_or_default();
        let pairs = values.pairs().map(|(name, value)| TemplateParameter {
            name: name.to_owned(),
            value: value.to_owned(),
        });
        pairs.collect()
    };
    let handshake = context.handshake;
    let request = TemplateRequest {
        body: body.to_owned(),
        path: Vec::new(),
        querystring: parameters(handshake.map(HandshakeRequest::query)),
        header: parameters(handshake.map(|request| request.headers(false))),
    };
    // Cannot fail: contexts and stage variables are maps with text keys, texts and numbers.
    let json = |value: serde_json::Result<Value>| value.unwrap_or_default();
    let variables = TemplateVariables::of_request(
        request,
        json(serde_json::to_value(context.request)),
        json(serde_json::to_value(context.stage_variables)),
    );
    let failure = |problem: String, hint: &str| {
        IntegrationFailure::unreachable(format!("the {what} template: {problem}; {hint}"))
    };
    let parsed =
        VtlTemplate::parse(template).map_err(|error| failure(error.to_string(), error.hint()))?;
    parsed
        .render(&variables, &RenderLimits::default())
        .map_err(|error| failure(error.to_string(), error.hint()))
}
