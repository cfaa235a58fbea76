//! The HTTP API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Domain, Duration, Expression, Stage, Throttling};

/// An HTTP API with a JWT authorizer, routes and stage.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Http {
    /// The API is called `{name}-{env}`.
    #[schemars(extend("format" = "api-name"))]
    pub name: String,
    /// What the API is for.
    pub description: Option<String>,
    /// Which other origins' pages may call it.
    pub cors: Option<Cors>,
    /// The stage.
    #[serde(default)]
    pub stage: Stage,
    /// Who issues the tokens of routes with `auth: jwt`.
    pub authorizer: Option<HttpAuthorizer>,
    /// How long API Gateway waits for a function, 50 ms to 30 s. Default `30s`.
    pub timeout: Option<Duration>,
    /// Routes by key: a method and a path such as `POST /sessions`, or `$default`.
    #[schemars(extend("propertyNames" = {"format": "http-route-key"}, "minProperties" = 1))]
    pub routes: BTreeMap<String, HttpRoute>,
    /// A domain name of your own.
    pub domain: Option<Domain>,
}

/// Cross-origin resource sharing.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cors {
    /// Origins, with scheme, or `*`.
    #[schemars(length(min = 1))]
    pub allow_origins: Vec<String>,
    /// Methods.
    #[serde(default)]
    pub allow_methods: Vec<String>,
    /// Request headers.
    #[serde(default)]
    pub allow_headers: Vec<String>,
    /// Response headers that a page may read.
    #[serde(default)]
    pub expose_headers: Vec<String>,
    /// How long a browser may keep the answer.
    pub max_age: Option<Duration>,
    /// Lets pages send cookies; not with the origin `*`.
    #[serde(default)]
    pub allow_credentials: bool,
}

/// A JWT authorizer, checked by API Gateway itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpAuthorizer {
    /// The issuer's URL, exactly as in the tokens' `iss`.
    pub issuer: Expression,
    /// One of these must be in a token's `aud` or `client_id`.
    #[schemars(length(min = 1))]
    pub audience: Vec<Expression>,
    /// Where the token is. Default `$request.header.Authorization`.
    #[serde(default)]
    #[schemars(extend("items" = {"type": "string", "format": "http-identity-source"}))]
    pub identity_source: Vec<String>,
}

/// A route of an HTTP API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpRoute {
    /// The function that it calls.
    pub function: String,
    /// `jwt` asks for a token of the API's authorizer; `none` lets everybody in. Written out for every route.
    pub auth: Auth,
    /// Scopes, one of which a token must have.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// How long API Gateway waits for the function, 50 ms to 30 s. Default: the API's.
    pub timeout: Option<Duration>,
    /// Limits for this route.
    pub throttling: Option<Throttling>,
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Auth {
    /// A caller with a token of the API's authorizer.
    Jwt,
    /// Everybody.
    None,
}
