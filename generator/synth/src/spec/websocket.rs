//! The WebSocket API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Domain, Duration, Stage, Throttling};

/// A WebSocket API with its authorizer, routes and stage.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebSocket {
    /// The API is called `{name}-{env}`.
    #[schemars(extend("format" = "api-name"))]
    pub name: String,
    /// What the API is for.
    pub description: Option<String>,
    /// Which part of a message names its route. Default `$request.body.action`.
    #[schemars(extend("format" = "route-selection-expression"))]
    pub route_selection_expression: Option<String>,
    /// The stage.
    #[serde(default)]
    pub stage: Stage,
    /// Who may connect. Without one, everybody.
    pub authorizer: Option<Authorizer>,
    /// How long API Gateway waits for a function, 50 ms to 29 s. Default `29s`.
    pub timeout: Option<Duration>,
    /// Routes by key: `$connect`, `$disconnect`, `$default`, and the values that the route selection expression takes.
    #[schemars(extend("propertyNames" = {"format": "route-key"}, "minProperties" = 1))]
    pub routes: BTreeMap<String, RouteEntry>,
    /// A domain name of your own.
    pub domain: Option<Domain>,
}

/// A Lambda authorizer, asked once a connection, at `$connect`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authorizer {
    /// The function that decides.
    pub function: String,
    /// Who calls: `authenticated` when every caller brings a token, `mixed` when some do not and the authorizer
    /// tells them apart. The function gets the word as `AUTHORIZER_CALLERS`.
    pub callers: Callers,
    /// What a caller must bring before the authorizer is asked at all, such as `route.request.querystring.token`.
    /// A caller who lacks one of them gets 401 from API Gateway itself, so `mixed` callers must have none.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "format": "identity-source"}))]
    pub identity_source: Vec<String>,
}

/// Who calls an API.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Callers {
    /// Every caller brings a token.
    Authenticated,
    /// Some callers bring a token, others are anonymous.
    Mixed,
}

impl Callers {
    /// As stackgen.yaml spells it.
    pub fn name(self) -> &'static str {
        match self {
            Callers::Authenticated => "authenticated",
            Callers::Mixed => "mixed",
        }
    }
}

/// A route: the function's name, or more.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RouteEntry {
    /// The function that the route calls.
    Function(String),
    /// A route with settings.
    Route(Route),
}

impl RouteEntry {
    /// With every setting, those left out at their defaults.
    pub fn route(&self) -> Route {
        match self {
            RouteEntry::Function(function) => Route {
                function: function.clone(),
                two_way: false,
                timeout: None,
                throttling: None,
                content_handling: None,
            },
            RouteEntry::Route(route) => route.clone(),
        }
    }
}

/// A route with settings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The function that it calls.
    pub function: String,
    /// Sends what the function returns as `body` back to the caller. Without it, a return value is not read.
    #[serde(default)]
    pub two_way: bool,
    /// How long API Gateway waits for the function, 50 ms to 29 s. Default: the API's.
    pub timeout: Option<Duration>,
    /// Limits for this route.
    pub throttling: Option<Throttling>,
    /// Turns messages from base64 text into binary, or back, on the way to the function.
    pub content_handling: Option<ContentHandling>,
}

/// What becomes of a message's content.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub enum ContentHandling {
    /// From base64 text to binary.
    ConvertToBinary,
    /// From binary to base64 text.
    ConvertToText,
}
