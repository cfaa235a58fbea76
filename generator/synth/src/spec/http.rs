//! The HTTP API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{DomainSpec, Duration, Expression, StageSpec, ThrottlingSpec};

/// HTTP API with a JWT authorizer, routes and a stage.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Http")]
pub struct HttpSpec {
    /// Name of the API. The API is named `{name}-{env}`.
    #[schemars(extend("format" = "api-name"))]
    pub name: String,
    /// Description of the API.
    pub description: Option<String>,
    /// Cross-origin resource sharing (CORS).
    pub cors: Option<CorsSpec>,
    /// The stage.
    #[serde(default)]
    pub stage: StageSpec,
    /// JWT authorizer for routes with `auth: jwt`.
    pub authorizer: Option<HttpAuthorizerSpec>,
    /// Integration timeout, 50 ms to 30 s. Default `30s`.
    pub timeout: Option<Duration>,
    /// Routes by key: a method and a path such as `POST /sessions`, or `$default`.
    #[schemars(extend("propertyNames" = {"format": "http-route-key"}, "minProperties" = 1))]
    pub routes: BTreeMap<String, HttpRouteSpec>,
    /// Custom domain name.
    pub domain: Option<DomainSpec>,
}

impl HttpSpec {
    /// Returns the name of the stage.
    pub(crate) fn stage_name(&self) -> &str {
        self.stage.name.as_deref().unwrap_or("$default")
    }
}

/// Cross-origin resource sharing (CORS).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Cors")]
pub struct CorsSpec {
    /// Allowed origins, with scheme, or `*`.
    #[schemars(length(min = 1))]
    pub allow_origins: Vec<String>,
    /// Allowed methods.
    #[serde(default)]
    pub allow_methods: Vec<String>,
    /// Allowed request headers.
    #[serde(default)]
    pub allow_headers: Vec<String>,
    /// Response headers that a page can read.
    #[serde(default)]
    pub expose_headers: Vec<String>,
    /// Time for which browsers can cache a preflight response.
    pub max_age: Option<Duration>,
    /// Allows cookies. Not with the origin `*`.
    #[serde(default)]
    pub allow_credentials: bool,
}

/// JWT authorizer. API Gateway validates the tokens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "HttpAuthorizer")]
pub struct HttpAuthorizerSpec {
    /// URL of the issuer, exactly as in the tokens' `iss` claim.
    pub issuer: Expression,
    /// Accepted audiences. A token's `aud` or `client_id` claim must contain one of them.
    #[schemars(length(min = 1))]
    pub audience: Vec<Expression>,
    /// Location of the token in the request. Default `$request.header.Authorization`.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "format": "http-identity-source"}))]
    pub identity_source: Vec<String>,
}

/// Route of an HTTP API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "HttpRoute")]
pub struct HttpRouteSpec {
    /// Function that the route calls.
    pub function: String,
    /// `jwt` requires a token that the API's authorizer accepts; `none` allows every caller. Required for every route.
    pub auth: Auth,
    /// Accepted scopes. A token must have one of them.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Integration timeout, 50 ms to 30 s. Default: the API's `timeout`.
    pub timeout: Option<Duration>,
    /// Limits for this route.
    pub throttling: Option<ThrottlingSpec>,
}

/// Authorization of a route.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Auth {
    /// Only callers with a token that the API's authorizer accepts.
    Jwt,
    /// Every caller.
    None,
}
