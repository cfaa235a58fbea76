//! APIs of API Gateway v2, and their parts.

use std::sync::Arc;

use serde::Serialize;

use crate::resource::Resource;
use crate::{FunctionLink, Link, Resolved, RouteKey, Setting, Text};

/// Protocol of an API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Protocol {
    /// `WEBSOCKET`.
    WebSocket,
    /// `HTTP`.
    Http,
    /// The template does not determine it.
    #[default]
    Unknown,
}

/// An API with its routes, integrations, authorizers, models, deployments and stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Api {
    /// The API: one of this template, or one outside of it to which routes of this template belong.
    pub id: Link,
    /// The API's own resource; `None` for an API outside of the template.
    pub resource: Option<Arc<Resource>>,
    /// The protocol.
    pub protocol: Protocol,
    /// The name.
    pub name: Option<Text>,
    /// The expression that selects a route for a message (row M1).
    pub route_selection_expression: Option<Text>,
    /// The expression that selects the API key (row A15).
    pub api_key_selection_expression: Option<Text>,
    /// True if messages are not validated against models.
    pub disable_schema_validation: Setting<bool>,
    /// True if only a custom domain name leads to it.
    pub disable_execute_api_endpoint: Setting<bool>,
    /// Cross-origin configuration of an HTTP API.
    pub cors: Option<Resolved>,
    /// The routes in the template's order.
    pub routes: Vec<Route>,
    /// The integrations.
    pub integrations: Vec<Integration>,
    /// The authorizers.
    pub authorizers: Vec<Authorizer>,
    /// The models.
    pub models: Vec<ApiModel>,
    /// The deployments.
    pub deployments: Vec<Deployment>,
    /// The stages.
    pub stages: Vec<Stage>,
    /// The API mappings that lead to it.
    pub mappings: Vec<ApiMapping>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Route {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The route key.
    pub key: RouteKey,
    /// `NONE`, `AWS_IAM`, `CUSTOM` or `JWT`. Without it, an update keeps the route's current type.
    pub authorization_type: Option<Text>,
    /// The authorizer.
    pub authorizer: Link,
    /// The integration. Without one the route is dead (row F2).
    pub target: Link,
    /// True if callers need an API key (row A15).
    pub api_key_required: Setting<bool>,
    /// `$default` makes the route two-way, together with a route response (row M8).
    pub route_response_selection_expression: Option<Text>,
    /// The route responses.
    pub responses: Vec<RouteResponse>,
}

impl Route {
    /// True if the integration's answer is sent back: the route has a `$default` response (row M8).
    pub fn is_two_way(&self) -> bool {
        let mut responses = self.responses.iter();
        responses.any(|response| response.key.as_str() == "$default")
    }
}

/// An integration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Integration {
    /// The resource.
    pub resource: Arc<Resource>,
    /// `AWS_PROXY`, `MOCK`, …
    pub integration_type: Option<Text>,
    /// The URI as the template writes it.
    pub uri: Option<Text>,
    /// The function that it invokes.
    pub function: FunctionLink,
    /// The role for invoking it. Without one, the function's permissions decide.
    pub credentials: Link,
    /// Timeout in milliseconds, 50 to 29,000 (row C8).
    pub timeout_millis: Setting<i64>,
    /// `1.0` or `2.0`, for HTTP APIs.
    pub payload_format_version: Option<Text>,
    /// The integration responses.
    pub responses: Vec<IntegrationResponse>,
}

impl Integration {
    /// Returns the integration type, if the template determines it.
    pub fn known_type(&self) -> Option<&str> {
        self.integration_type.as_ref().and_then(Text::as_literal)
    }
}

/// An integration response: how an integration's answer is mapped.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntegrationResponse {
    /// The resource.
    pub resource: Arc<Resource>,
    /// `$default` or a pattern of status codes.
    pub key: Text,
}

/// An authorizer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Authorizer {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name.
    pub name: Option<Text>,
    /// `REQUEST` or `JWT`.
    pub authorizer_type: Option<Text>,
    /// The URI as the template writes it.
    pub uri: Option<Text>,
    /// The function that it invokes.
    pub function: FunctionLink,
    /// The identity sources. All must be present (row A2).
    pub identity_sources: Vec<Text>,
    /// The role for invoking it.
    pub credentials: Link,
}

/// A route response.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RouteResponse {
    /// The resource.
    pub resource: Arc<Resource>,
    /// `$default`.
    pub key: RouteKey,
}

/// A model: a schema for messages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiModel {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name.
    pub name: Option<Text>,
}

/// A deployment: a snapshot of the API (row D1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deployment {
    /// The resource. Its `depends_on` lists what it waits for (row F7).
    pub resource: Arc<Resource>,
    /// The description.
    pub description: Option<Text>,
    /// The stage that it is created for, if the template names one.
    pub stage_name: Option<Text>,
}

/// A stage: a pointer to a deployment, and settings that are live at once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name.
    pub name: Option<Text>,
    /// The deployment that it serves.
    pub deployment: Link,
    /// True if API Gateway activates deployments by itself (rows D4, D5).
    pub auto_deploy: Setting<bool>,
    /// `DefaultRouteSettings`: throttles and logging of all routes.
    pub default_route_settings: Option<Resolved>,
    /// `RouteSettings`: throttles and logging of single routes.
    pub route_settings: Option<Resolved>,
    /// `AccessLogSettings`.
    pub access_log: Option<Resolved>,
    /// `StageVariables`.
    pub variables: Option<Resolved>,
}

impl Stage {
    /// True if the stage writes an access log, or an execution log for any route.
    pub fn has_logs(&self) -> bool {
        let is_on = |settings: &Resolved| {
            let level = settings.get("LoggingLevel").and_then(Resolved::as_literal);
            level.is_some_and(|level| level != "OFF")
        };
        let routes = self.route_settings.as_ref().and_then(Resolved::as_map);
        self.access_log.is_some()
            || self.default_route_settings.as_ref().is_some_and(is_on)
            || routes.is_some_and(|routes| routes.values().any(is_on))
    }
}

/// An API mapping: a path of a custom domain name that leads to a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiMapping {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The custom domain name.
    pub domain: Link,
    /// The stage.
    pub stage: Link,
    /// The path.
    pub key: Option<Text>,
}

/// A custom domain name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DomainName {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name.
    pub name: Option<Text>,
}
