//! The WebSocket API.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_cfn::{Node, get_att, json, list, map, r#ref};

use super::api;
use super::api_names::ApiNames;
use super::context::RenderContext;
use super::deployment;
use super::endpoint;
use super::function;
use super::integration;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::names::{pascal_case, websocket_route_id};
use crate::spec::{
    AuthorizerSpec, ContentHandling, DomainSpec, Duration, RouteEntrySpec, RouteSpec, WebSocketSpec,
};

const API: ApiNames = ApiNames::WEBSOCKET;
const AUTHORIZER: &str = "WebSocketAuthorizer";
const DEFAULT_SELECTION: &str = "$request.body.action";
const DEFAULT_TIMEOUT: Duration = Duration::from_millis(29_000);

/// Adds the API with its authorizer, integrations, routes, permissions, deployment and stage.
pub(super) fn render(
    context: &RenderContext<'_>,
    websocket: &WebSocketSpec,
    template: &mut TemplateBuilder,
) {
    let origin = [API.section];
    let closed = DomainSpec::is_only_endpoint(websocket.domain.as_ref());
    let resource = || {
        ResourceBuilder::new("AWS::ApiGatewayV2::Api")
            .set("Name", context.name(&websocket.name))
            .set_some("Description", websocket.description.as_deref())
            .set("ProtocolType", "WEBSOCKET")
            .set(
                "RouteSelectionExpression",
                websocket
                    .route_selection_expression
                    .as_deref()
                    .unwrap_or(DEFAULT_SELECTION),
            )
            .set("DisableExecuteApiEndpoint", closed)
            .set_some("Tags", context.tag_map())
    };
    template.add(API.id, &origin, resource);
    if context.pinned() {
        let routed = websocket
            .routes
            .values()
            .filter_map(RouteEntrySpec::function);
        let functions: BTreeSet<_> = routed
            .chain(websocket.authorizer.iter().map(|it| it.function.as_str()))
            .collect();
        if !functions.is_empty() {
            template.add(&API.invoke_role_id(), &origin, || {
                api::invoke_role(context, &functions)
            });
        }
    }
    if let Some(authorizer) = &websocket.authorizer {
        self::authorizer(context, authorizer, template);
    }
    models(websocket, template);
    integrations(context, websocket, template);
    for (key, entry) in &websocket.routes {
        route(context, websocket, key, &entry.route(), template);
    }
    api::access_log_group(context, API, &websocket.name, &websocket.stage, template);
    deployment::reserve(API, template);
    let throttled: BTreeMap<_, _> = websocket
        .routes
        .iter()
        .filter_map(|(key, entry)| Some((key.as_str(), entry.route().throttling?)))
        .collect();
    api::stage(
        context,
        API,
        websocket.stage_name(),
        &websocket.stage,
        &throttled,
        template,
    );
    if let Some(domain) = &websocket.domain {
        api::domain(context, API, domain, template);
    }
    outputs(websocket, template);
}

/// Adds a REQUEST authorizer. It has no TTL, payload version or simple responses (rows A11, A12), and an identity
/// source only if every caller sends it (row A2).
fn authorizer(
    context: &RenderContext<'_>,
    authorizer: &AuthorizerSpec,
    template: &mut TemplateBuilder,
) {
    let origin = [API.section, "authorizer"];
    let sources: BTreeSet<_> = authorizer
        .identity_source
        .iter()
        .map(String::as_str)
        .collect();
    let resource = || {
        ResourceBuilder::new("AWS::ApiGatewayV2::Authorizer")
            .metadata(map([(
                "Stackgen",
                map([("Callers", Node::from(authorizer.callers.name()))]),
            )]))
            .set("ApiId", r#ref(API.id))
            .set("Name", context.name(&authorizer.function))
            .set("AuthorizerType", "REQUEST")
            .set(
                "AuthorizerUri",
                function::invocation_uri(context, &authorizer.function),
            )
            .set_some(
                "AuthorizerCredentialsArn",
                context
                    .pinned()
                    .then(|| get_att(API.invoke_role_id(), "Arn")),
            )
            // Explicit even if empty: a property that leaves the template keeps its value (row A2).
            .set("IdentitySource", list(sources.iter().copied()))
    };
    template.add(AUTHORIZER, &origin, resource);
    if !context.pinned() {
        let source = format!("authorizers/${{{AUTHORIZER}}}");
        template.add(&format!("{AUTHORIZER}Permission"), &origin, || {
            api::permission(API, &authorizer.function, &source)
        });
    }
}

/// Settings in which proxy integrations of a function can differ.
type ProxyKey = (String, u64, Option<ContentHandling>);

/// Returns the timeout of a route's integration, in milliseconds.
fn timeout(websocket: &WebSocketSpec, route: &RouteSpec) -> u64 {
    let timeout = route.timeout.or(websocket.timeout);
    timeout.unwrap_or(DEFAULT_TIMEOUT).millis()
}

/// Returns the logical ID of the integration of a route. Routes with the same function share an integration unless
/// their settings differ. Routes with another backend have their own.
fn integration_id(websocket: &WebSocketSpec, key: &str, route: &RouteSpec) -> String {
    let function = route
        .function
        .as_ref()
        .filter(|_| route.is_function_proxy());
    let Some(function) = function else {
        return integration::integration_id(key);
    };
    let timeout = route
        .timeout
        .filter(|timeout| *timeout != websocket.timeout.unwrap_or(DEFAULT_TIMEOUT));
    let timeout = timeout.map_or_else(String::new, |timeout| {
        format!("Timeout{}", timeout.millis())
    });
    let content = match route.content_handling {
        Some(ContentHandling::ConvertToBinary) => "ToBinary",
        Some(ContentHandling::ConvertToText) => "ToText",
        None => "",
    };
    format!(
        "{}WebSocketIntegration{timeout}{content}",
        pascal_case(function)
    )
}

fn integrations(
    context: &RenderContext<'_>,
    websocket: &WebSocketSpec,
    template: &mut TemplateBuilder,
) {
    let mut proxies: BTreeMap<ProxyKey, (String, &str)> = BTreeMap::new();
    for (key, entry) in &websocket.routes {
        let route = entry.route();
        let Some(function) = route
            .function
            .as_ref()
            .filter(|_| route.is_function_proxy())
        else {
            integration::render(context, key, &route, timeout(websocket, &route), template);
            continue;
        };
        let settings = (
            function.clone(),
            timeout(websocket, &route),
            route.content_handling,
        );
        proxies
            .entry(settings)
            .or_insert_with(|| (integration_id(websocket, key, &route), key));
    }
    for ((function, millis, content), (id, route)) in proxies {
        let resource = || {
            api::integration(context, API, &function, millis).set_some(
                "ContentHandlingStrategy",
                content.map(ContentHandling::property),
            )
        };
        template.add(&id, &[API.section, "routes", route], resource);
    }
}

/// Adds the models of messages.
fn models(websocket: &WebSocketSpec, template: &mut TemplateBuilder) {
    for (name, schema) in &websocket.models {
        let origin = [API.section, "models", name];
        template.add(&model_id(name), &origin, || {
            ResourceBuilder::new("AWS::ApiGatewayV2::Model")
                .set("ApiId", r#ref(API.id))
                .set("Name", name.as_str())
                .set("ContentType", "application/json")
                .set("Schema", json::from_json(&schema.sorted()))
        });
    }
}

fn model_id(name: &str) -> String {
    format!("{}Model", pascal_case(name))
}

/// Adds a route, its permission and, for a two-way route, its route response.
fn route(
    context: &RenderContext<'_>,
    websocket: &WebSocketSpec,
    key: &str,
    route: &RouteSpec,
    template: &mut TemplateBuilder,
) {
    let origin = [API.section, "routes", key];
    let id = websocket_route_id(key);
    let authorized = websocket.authorizer.is_some() && key == "$connect";
    let resource = || {
        ResourceBuilder::new("AWS::ApiGatewayV2::Route")
            // The route names its model, and does not refer to it (row F9).
            .depends_on(route.model.as_deref().map(model_id).into_iter().collect())
            .set("ApiId", r#ref(API.id))
            .set("RouteKey", key)
            // Explicit on every route: a property that leaves the template keeps its value.
            .set(
                "AuthorizationType",
                if authorized { "CUSTOM" } else { "NONE" },
            )
            .set_some("AuthorizerId", authorized.then(|| r#ref(AUTHORIZER)))
            .set_some(
                "RouteResponseSelectionExpression",
                route.sends_answers().then_some("$default"),
            )
            .set_some(
                "ModelSelectionExpression",
                route.model.as_ref().map(|_| "$default"),
            )
            .set_some(
                "RequestModels",
                route
                    .model
                    .as_deref()
                    .map(|model| map([("$default", Node::from(model))])),
            )
            .set(
                "Target",
                api::target(&integration_id(websocket, key, route)),
            )
    };
    template.add(&id, &origin, resource);
    if route.sends_answers() {
        let response = || {
            ResourceBuilder::new("AWS::ApiGatewayV2::RouteResponse")
                .set("ApiId", r#ref(API.id))
                .set("RouteId", r#ref(&id))
                .set("RouteResponseKey", "$default")
        };
        template.add(&format!("{id}Response"), &origin, response);
    }
    if let Some(function) = route.function.as_ref().filter(|_| !context.pinned()) {
        // `${` in a route key is literal text.
        let key = key.replace("${", "${!");
        let source = format!("{}/{key}", websocket.stage_name());
        template.add(&format!("{id}Permission"), &origin, || {
            api::permission(API, function, &source)
        });
    }
}

fn outputs(websocket: &WebSocketSpec, template: &mut TemplateBuilder) {
    template.output(
        "WebSocketUrl",
        "Where clients connect",
        endpoint::websocket_url("wss", websocket),
    );
    template.output(
        "WebSocketManagementUrl",
        "Where messages to connections are posted",
        endpoint::management_endpoint(websocket),
    );
    template.output("WebSocketApiId", "Id of the WebSocket API", r#ref(API.id));
    template.output(
        "WebSocketStageName",
        "Name of the WebSocket API's stage",
        websocket.stage_name(),
    );
}
