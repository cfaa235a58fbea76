//! The WebSocket API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{DomainSpec, Duration, Raw, RouteEntrySpec, StageSpec};

/// WebSocket API with an authorizer, routes and a stage.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "WebSocket")]
pub struct WebSocketSpec {
    /// Name of the API. The API is named `{name}-{env}`.
    #[schemars(extend("format" = "api-name"))]
    pub name: String,
    /// Description of the API.
    pub description: Option<String>,
    /// Expression that selects the route key from a message. Default `$request.body.action`.
    #[schemars(extend("format" = "route-selection-expression"))]
    pub route_selection_expression: Option<String>,
    /// The stage.
    #[serde(default)]
    pub stage: StageSpec,
    /// Lambda authorizer for `$connect`. Without it, anyone can connect.
    pub authorizer: Option<AuthorizerSpec>,
    /// Integration timeout, 50 ms to 29 s. Default `29s`.
    pub timeout: Option<Duration>,
    /// Routes by key: `$connect`, `$disconnect`, `$default`, and the values that the route selection expression
    /// selects.
    #[schemars(extend("propertyNames" = {"format": "route-key"}, "minProperties" = 1))]
    pub routes: BTreeMap<String, RouteEntrySpec>,
    /// JSON Schemas (draft 4) of messages by name, for the `model` of routes.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "model-name"}))]
    pub models: BTreeMap<String, Raw>,
    /// Custom domain name.
    pub domain: Option<DomainSpec>,
}

impl WebSocketSpec {
    /// Returns the name of the stage. A WebSocket URL always contains it.
    pub(crate) fn stage_name(&self) -> &str {
        self.stage.name.as_deref().unwrap_or("prod")
    }
}

/// Lambda authorizer. API Gateway invokes it once per connection, at `$connect`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Authorizer")]
pub struct AuthorizerSpec {
    /// Function that authorizes callers.
    pub function: String,
    /// Callers of the API: `authenticated` if every caller has a token, `mixed` if some callers have none and the
    /// authorizer distinguishes them. The function gets the value as `AUTHORIZER_CALLERS`.
    pub callers: Callers,
    /// Values that a request must contain before API Gateway invokes the authorizer, such as
    /// `route.request.querystring.token`. API Gateway answers 401 to a request that lacks one of them, so there must be
    /// none for `mixed` callers.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "format": "identity-source"}))]
    pub identity_source: Vec<String>,
}

/// Callers of an API.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Callers {
    /// Every caller has a token.
    Authenticated,
    /// Some callers have a token, others are anonymous.
    Mixed,
}

impl Callers {
    /// Returns the value in stackgen.yaml.
    pub fn name(self) -> &'static str {
        match self {
            Callers::Authenticated => "authenticated",
            Callers::Mixed => "mixed",
        }
    }
}
