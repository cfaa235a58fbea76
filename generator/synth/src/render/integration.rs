//! Integrations of WebSocket routes that are no Lambda proxies: services of AWS, HTTP endpoints, functions with mapping
//! templates, and mocks.

use std::collections::BTreeMap;

use stackgen_cfn::{Map, Node, get_att, join, map, r#ref};

use super::api;
use super::api_names::ApiNames;
use super::backend::{ServiceRequest, TemplateVariable, service_request};
use super::context::RenderContext;
use super::policy::{assumed_by, policy};
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::digest::short_digest;
use crate::names::websocket_route_id;
use crate::spec::{ContentHandling, MockSpec, Passthrough, RouteBackend, RouteSpec};

const API: ApiNames = ApiNames::WEBSOCKET;
const DEFAULT: &str = "$default";
/// Expression whose value is the key of the default template.
const ALWAYS_DEFAULT: &str = "\\$default";

/// Returns the logical ID of the integration that belongs to one route.
pub(super) fn integration_id(key: &str) -> String {
    format!("{}Integration", websocket_route_id(key))
}

/// Adds the integration of a route, which waits for so many milliseconds, its role and its integration responses.
pub(super) fn render(
    context: &RenderContext<'_>,
    key: &str,
    route: &RouteSpec,
    millis: u64,
    template: &mut TemplateBuilder,
) {
    // The check of the file requires one backend.
    let Some(backend) = route.backends().into_iter().next() else {
        return;
    };
    let origin = [API.section, "routes", key];
    let service = service_request(context, route, backend);
    let variable = service.as_ref().and_then(|it| it.variable.as_ref());
    let role = service.as_ref().map(|service| match &route.role {
        Some(role) => role.0.clone(),
        None => {
            let id = format!("{}Role", websocket_route_id(key));
            let role = || {
                assumed_by("apigateway.amazonaws.com")
                    .set("Policies", policy("invoke", service.statements.clone()))
                    .set_some("Tags", context.tag_list())
            };
            template.add(&id, &origin, role);
            get_att(id, "Arn")
        }
    });
    let resource = || {
        integration(context, route, millis, backend, service.as_ref(), role)
            .set_some(
                "RequestParameters",
                request_parameters(route, service.as_ref()),
            )
            .set_some(
                "PassthroughBehavior",
                route.passthrough.map(Passthrough::property),
            )
            .set_some(
                "ContentHandlingStrategy",
                route.content_handling.map(ContentHandling::property),
            )
    };
    template.add(&integration_id(key), &origin, resource);
    if !matches!(backend, RouteBackend::HttpProxy(_)) && route.sends_answers() {
        responses(key, route, variable, template);
    }
}

/// Integration with its type, its URI and its request templates.
fn integration(
    context: &RenderContext<'_>,
    route: &RouteSpec,
    millis: u64,
    backend: RouteBackend<'_>,
    service: Option<&ServiceRequest>,
    role: Option<Node>,
) -> ResourceBuilder {
    let method = route.method.as_deref().unwrap_or("POST");
    let new = |kind: &str| {
        ResourceBuilder::new("AWS::ApiGatewayV2::Integration")
            .set("ApiId", r#ref(API.id))
            .set("IntegrationType", kind)
    };
    let called = |kind: &str, uri: Node| {
        new(kind)
            .set("IntegrationMethod", method)
            .set("IntegrationUri", uri)
            .set("TimeoutInMillis", i64::try_from(millis).unwrap_or(i64::MAX))
    };
    let builder = match backend {
        RouteBackend::Function(name) => {
            api::integration(context, API, name, millis).set("IntegrationType", "AWS")
        }
        RouteBackend::Http(url) => called("HTTP", url.0.clone()),
        RouteBackend::HttpProxy(url) => called("HTTP_PROXY", url.0.clone()),
        RouteBackend::Mock(_) => new("MOCK"),
        _ => {
            let uri = service.map(|service| service.uri.clone());
            called("AWS", uri.unwrap_or_default()).set_some("CredentialsArn", role)
        }
    };
    let templates = request_templates(route, backend, service);
    let selection = route.request_selection.as_deref().unwrap_or(ALWAYS_DEFAULT);
    builder
        .set_some(
            "TemplateSelectionExpression",
            templates.as_ref().map(|_| selection),
        )
        .set_some("RequestTemplates", templates)
}

/// Returns the templates for messages: those of the route, or one that sends the message to the service.
fn request_templates(
    route: &RouteSpec,
    backend: RouteBackend<'_>,
    service: Option<&ServiceRequest>,
) -> Option<Node> {
    let variable = service.and_then(|it| it.variable.as_ref());
    let only = |template: Node| Some(map([(DEFAULT, template)]));
    if let RouteBackend::Mock(mock) = backend {
        return only(match mock {
            MockSpec::Status(status) => format!(r#"{{"statusCode": {status}}}"#).into(),
            MockSpec::Template(template) => template.as_str().into(),
        });
    }
    if let Some(template) = &route.request {
        return only(with_variable(&template.0, variable));
    }
    if !route.requests.is_empty() {
        let templates = route.requests.iter();
        let templates = templates.map(|(key, text)| (key, with_variable(&text.0, variable)));
        return Some(map(templates));
    }
    let default = service?.default_request.as_deref()?;
    only(with_variable(&default.into(), variable))
}

/// Defines the variable at the beginning of a template that uses it.
fn with_variable(template: &Node, variable: Option<&TemplateVariable>) -> Node {
    let uses = |name: &str| match template.as_str() {
        Some(text) => [
            format!("${name}"),
            format!("${{{name}}}"),
            format!("$!{name}"),
        ]
        .iter()
        .any(|reference| text.contains(reference.as_str())),
        None => true,
    };
    match variable.filter(|variable| uses(variable.name)) {
        Some(TemplateVariable { name, value }) => {
            let begin = format!("#set(${name} = \"");
            match template.as_str() {
                // A text with several lines stays a block.
                Some(text) if !text.contains('\n') => {
                    let rest = format!("\"){text}");
                    join("", [begin.into(), value.clone(), rest.into()])
                }
                _ => {
                    let items = [begin.into(), value.clone(), "\")".into(), template.clone()];
                    join("", items)
                }
            }
        }
        None => template.clone(),
    }
}

/// Returns the headers, query parameters and path variables of the request, with those of the service.
fn request_parameters(route: &RouteSpec, service: Option<&ServiceRequest>) -> Option<Node> {
    let headers = service.map_or(&[][..], |service| service.headers);
    let mut parameters: BTreeMap<String, Node> = headers
        .iter()
        .map(|(name, value)| (format!("header.{name}"), Node::from(*value)))
        .collect();
    for (name, value) in &route.request_parameters {
        // The names of headers have no case.
        parameters.retain(|known, _| !known.eq_ignore_ascii_case(name));
        parameters.insert(name.clone(), value.0.clone());
    }
    let parameters: Map = parameters
        .into_iter()
        .map(|(name, value)| (format!("integration.request.{name}"), value))
        .collect();
    (!parameters.is_empty()).then(|| parameters.into())
}

/// Adds the integration responses. Without templates there is one that passes the answer on.
fn responses(
    key: &str,
    route: &RouteSpec,
    variable: Option<&TemplateVariable>,
    template: &mut TemplateBuilder,
) {
    let mut templates: BTreeMap<&str, Option<&Node>> = route
        .responses
        .iter()
        .map(|(key, text)| (key.as_str(), Some(&text.0)))
        .collect();
    if templates.is_empty() {
        templates.insert(DEFAULT, route.response.as_ref().map(|text| &text.0));
    }
    let integration = integration_id(key);
    for (response_key, text) in templates {
        let suffix = match response_key {
            DEFAULT => String::new(),
            other => short_digest(other),
        };
        let resource = || {
            let templates = text.map(|text| map([(DEFAULT, with_variable(text, variable))]));
            ResourceBuilder::new("AWS::ApiGatewayV2::IntegrationResponse")
                .set("ApiId", r#ref(API.id))
                .set("IntegrationId", r#ref(&integration))
                .set("IntegrationResponseKey", response_key)
                .set_some(
                    "TemplateSelectionExpression",
                    templates.as_ref().map(|_| ALWAYS_DEFAULT),
                )
                .set_some("ResponseTemplates", templates)
        };
        let id = format!("{integration}Response{suffix}");
        template.add(&id, &[API.section, "routes", key], resource);
    }
}
