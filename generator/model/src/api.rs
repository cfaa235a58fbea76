//! Apis of API Gateway v2 and what belongs to them.

use std::sync::Arc;

use serde::Serialize;

use crate::resource::Resource;
use crate::{FunctionLink, Link, Resolved, RouteKey, Setting, Text};

/// What an api speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Protocol {
    /// `WEBSOCKET`.
    WebSocket,
    /// `HTTP`.
    Http,
    /// The template does not say.
    #[default]
    Unknown,
}

/// An api with its routes, integrations, authorizers, models, deployments and stages.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Api {
    /// Which api: one of this template, or one outside of it that routes of this template belong to.
    pub id: Link,
    /// The api's own resource; `None` for an api outside of the template.
    pub resource: Option<Arc<Resource>>,
    /// What it speaks.
    pub protocol: Protocol,
    /// Its name.
    pub name: Option<Text>,
    /// How a message chooses its route (row M1).
    pub route_selection_expression: Option<Text>,
    /// Where the API key is read from (row A15).
    pub api_key_selection_expression: Option<Text>,
    /// Whether models are not enforced.
    pub disable_schema_validation: Setting<bool>,
    /// Whether only a custom domain reaches it.
    pub disable_execute_api_endpoint: Setting<bool>,
    /// Cross-origin settings of an HTTP API.
    pub cors: Option<Resolved>,
    /// Its routes in the template's order.
    pub routes: Vec<Route>,
    /// Its integrations.
    pub integrations: Vec<Integration>,
    /// Its authorizers.
    pub authorizers: Vec<Authorizer>,
    /// Its models.
    pub models: Vec<ApiModel>,
    /// Its deployments.
    pub deployments: Vec<Deployment>,
    /// Its stages.
    pub stages: Vec<Stage>,
    /// Paths of custom domains that lead to it.
    pub mappings: Vec<ApiMapping>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Route {
    /// The resource.
    pub resource: Arc<Resource>,
    /// What it answers to.
    pub key: RouteKey,
    /// `NONE`, `AWS_IAM`, `CUSTOM` or `JWT`; a template that says nothing keeps what a route has.
    pub authorization_type: Option<Text>,
    /// Its authorizer.
    pub authorizer: Link,
    /// Its integration; without one the route is dead (row F2).
    pub target: Link,
    /// Whether callers need an API key (row A15).
    pub api_key_required: Setting<bool>,
    /// `$default` makes it two-way, together with a route response (row M8).
    pub route_response_selection_expression: Option<Text>,
    /// Its route responses.
    pub responses: Vec<RouteResponse>,
}

impl Route {
    /// True when what the function returns is sent back: the selection expression **and** a response (row M8).
    pub fn is_two_way(&self) -> bool {
        let selection = self.route_response_selection_expression.as_ref();
        let selected = selection.and_then(Text::as_literal) == Some("$default");
        selected
            && self
                .responses
                .iter()
                .any(|response| response.key.as_str() == "$default")
    }
}

/// An integration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Integration {
    /// The resource.
    pub resource: Arc<Resource>,
    /// `AWS_PROXY`, `MOCK`, …
    pub integration_type: Option<Text>,
    /// Its URI as written.
    pub uri: Option<Text>,
    /// The function that it calls.
    pub function: FunctionLink,
    /// The role it calls as; without one, the function's permission decides.
    pub credentials: Link,
    /// Milliseconds, 50 to 29,000 (row C8).
    pub timeout_millis: Setting<i64>,
    /// `1.0` or `2.0`, of HTTP APIs.
    pub payload_format_version: Option<Text>,
    /// Its integration responses.
    pub responses: Vec<IntegrationResponse>,
}

/// What becomes of an integration's answer.
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
    /// Its name.
    pub name: Option<Text>,
    /// `REQUEST` or `JWT`.
    pub authorizer_type: Option<Text>,
    /// Its URI as written.
    pub uri: Option<Text>,
    /// The function that it calls.
    pub function: FunctionLink,
    /// Where the identity is read from; all must be present (row A2).
    pub identity_sources: Vec<Text>,
    /// The role it calls as.
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

/// A model: a schema that messages are checked against.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiModel {
    /// The resource.
    pub resource: Arc<Resource>,
    /// Its name.
    pub name: Option<Text>,
}

/// A deployment: a snapshot of the api (row D1).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Deployment {
    /// The resource; what it waits for is in its `depends_on` (row F7).
    pub resource: Arc<Resource>,
    /// What it says of itself.
    pub description: Option<Text>,
    /// The stage that it is created for, if it names one.
    pub stage_name: Option<Text>,
}

/// A stage: a pointer to a deployment, and settings that are live at once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// The resource.
    pub resource: Arc<Resource>,
    /// Its name.
    pub name: Option<Text>,
    /// The deployment that it serves.
    pub deployment: Link,
    /// Whether API Gateway deploys by itself (rows D4, D5).
    pub auto_deploy: Setting<bool>,
    /// `DefaultRouteSettings`: throttles and logging.
    pub default_route_settings: Option<Resolved>,
    /// `RouteSettings`: the same for single routes.
    pub route_settings: Option<Resolved>,
    /// `AccessLogSettings`.
    pub access_log: Option<Resolved>,
    /// `StageVariables`.
    pub variables: Option<Resolved>,
}

/// A path of a custom domain that leads to a stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApiMapping {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The domain.
    pub domain: Link,
    /// The stage.
    pub stage: Link,
    /// The path.
    pub key: Option<Text>,
}

/// A custom domain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DomainName {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name.
    pub name: Option<Text>,
}
