//! What API Gateway keeps, in the shapes of its own API: apigatewayv2's names, so that the control plane answers with
//! these types as they are.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use stackgen_gateway_common::{
    ApiId, AuthorizerId, DeploymentId, IntegrationId, IntegrationResponseId, ModelId, RouteId,
    RouteKey, RouteResponseId, StageName, Timestamp,
};

use super::Snapshot;

/// Names and their values, in the order in which they were given.
pub type Pairs = IndexMap<String, String>;

/// What an api speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProtocolType {
    /// WebSocket.
    #[serde(rename = "WEBSOCKET")]
    WebSocket,
    /// HTTP.
    #[serde(rename = "HTTP")]
    Http,
}

macro_rules! resource {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    };
}

resource! {
    /// An api without what belongs to it.
    Api {
        /// Its id.
        api_id: ApiId,
        /// Its name.
        name: String,
        /// What it speaks.
        protocol_type: ProtocolType,
        /// Where it is reached: `ws://127.0.0.1:{port}` or `http://127.0.0.1:{port}`, set once it listens.
        #[serde(skip_serializing_if = "Option::is_none")]
        api_endpoint: Option<String>,
        /// How a message chooses its route (row M1).
        route_selection_expression: String,
        /// Where the API key is read from (row A15).
        api_key_selection_expression: String,
        /// Cross-origin settings of an HTTP API.
        #[serde(skip_serializing_if = "Option::is_none")]
        cors_configuration: Option<Cors>,
        /// What it says of itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Whether models are not enforced.
        disable_schema_validation: bool,
        /// Whether only a custom domain reaches it.
        disable_execute_api_endpoint: bool,
        /// When it was made.
        #[serde(serialize_with = "iso8601")]
        created_date: Timestamp,
        /// Its version, a text of its owner's.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// `ipv4` or `dualstack`.
        #[serde(skip_serializing_if = "Option::is_none")]
        ip_address_type: Option<String>,
        /// Its tags.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        tags: Pairs,
    }
}

/// Cross-origin settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cors {
    /// Whether credentials may be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<bool>,
    /// Request headers, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Methods, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Origins, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
    /// Response headers that pages may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// Seconds that a preflight's answer is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
}

resource! {
    /// A route.
    Route {
        /// Its id.
        route_id: RouteId,
        /// What it answers to.
        route_key: RouteKey,
        /// `NONE`, `AWS_IAM`, `CUSTOM` or `JWT`.
        authorization_type: String,
        /// Its authorizer.
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_id: Option<AuthorizerId>,
        /// Scopes that a token must have one of, of HTTP APIs.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        authorization_scopes: Vec<String>,
        /// Whether callers need an API key (row A15).
        api_key_required: bool,
        /// `integrations/{id}`; without it the route is dead (row F2).
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        /// `$default` makes it two-way, together with a route response (row M8).
        #[serde(skip_serializing_if = "Option::is_none")]
        route_response_selection_expression: Option<String>,
        /// Which model a message is checked against: an expression that gives a key of `request_models` (row M6).
        #[serde(skip_serializing_if = "Option::is_none")]
        model_selection_expression: Option<String>,
        /// Names of models by the value of the expression, `$default` for all.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        request_models: Pairs,
        /// Parameters that must be there, `$connect` only (row M9): `route.request.querystring.x` with `{"required": …}`.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        request_parameters: IndexMap<String, ParameterConstraints>,
        /// A name for people.
        #[serde(skip_serializing_if = "Option::is_none")]
        operation_name: Option<String>,
    }
}

/// Whether a request parameter must be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParameterConstraints {
    /// It must.
    #[serde(default)]
    pub required: bool,
}

resource! {
    /// An integration.
    Integration {
        /// Its id.
        integration_id: IntegrationId,
        /// `AWS_PROXY`, `MOCK`, `HTTP_PROXY`, …
        integration_type: String,
        /// What it calls: an invocation URI, or a URL.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_uri: Option<String>,
        /// `POST` for functions.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_method: Option<String>,
        /// The role it calls as; without one, the function's policy decides (row C7).
        #[serde(skip_serializing_if = "Option::is_none")]
        credentials_arn: Option<String>,
        /// Milliseconds, 50 to 29,000, of HTTP APIs to 30,000 (row C8).
        timeout_in_millis: u64,
        /// `1.0` or `2.0`, of HTTP APIs.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload_format_version: Option<String>,
        /// `INTERNET` or `VPC_LINK`.
        connection_type: String,
        /// The VPC link.
        #[serde(skip_serializing_if = "Option::is_none")]
        connection_id: Option<String>,
        /// What an HTTP API's integration with an AWS service does: `EventBridge-PutEvents`.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_subtype: Option<String>,
        /// How the answer chooses its integration response.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_response_selection_expression: Option<String>,
        /// `CONVERT_TO_TEXT` or `CONVERT_TO_BINARY` (row M10).
        #[serde(skip_serializing_if = "Option::is_none")]
        content_handling_strategy: Option<String>,
        /// What becomes of a message that no request template fits.
        #[serde(skip_serializing_if = "Option::is_none")]
        passthrough_behavior: Option<String>,
        /// Which request template is used.
        #[serde(skip_serializing_if = "Option::is_none")]
        template_selection_expression: Option<String>,
        /// Request templates of `MOCK`, `HTTP` and `AWS` integrations.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        request_templates: Pairs,
        /// Request parameters of it.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        request_parameters: Pairs,
        /// Changes to the answer by its status, of HTTP APIs.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        response_parameters: IndexMap<String, Pairs>,
        /// TLS of a private integration.
        #[serde(skip_serializing_if = "Option::is_none")]
        tls_config: Option<TlsConfig>,
        /// What it says of itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    }
}

/// TLS of a private integration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsConfig {
    /// The server name that its certificate must be of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name_to_verify: Option<String>,
}

resource! {
    /// What becomes of an integration's answer.
    IntegrationResponse {
        /// Its id.
        integration_response_id: IntegrationResponseId,
        /// `$default` or a pattern of status codes.
        integration_response_key: String,
        /// Response templates.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        response_templates: Pairs,
        /// Response parameters.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        response_parameters: Pairs,
        /// `CONVERT_TO_TEXT` or `CONVERT_TO_BINARY`.
        #[serde(skip_serializing_if = "Option::is_none")]
        content_handling_strategy: Option<String>,
        /// Which template is used.
        #[serde(skip_serializing_if = "Option::is_none")]
        template_selection_expression: Option<String>,
    }
}

resource! {
    /// A route response.
    RouteResponse {
        /// Its id.
        route_response_id: RouteResponseId,
        /// `$default` (row F5).
        route_response_key: String,
        /// Which model it is of.
        #[serde(skip_serializing_if = "Option::is_none")]
        model_selection_expression: Option<String>,
        /// Names of models.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        response_models: Pairs,
        /// Response parameters.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        response_parameters: IndexMap<String, ParameterConstraints>,
    }
}

resource! {
    /// An authorizer.
    Authorizer {
        /// Its id.
        authorizer_id: AuthorizerId,
        /// Its name.
        name: String,
        /// `REQUEST`, or `JWT` of HTTP APIs.
        authorizer_type: String,
        /// What it calls.
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_uri: Option<String>,
        /// Where the identity is read from; all must be present (row A2).
        identity_source: Vec<String>,
        /// The role it calls as (row A16).
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_credentials_arn: Option<String>,
        /// Of HTTP APIs: how long a result is good for.
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_result_ttl_in_seconds: Option<u64>,
        /// Of HTTP APIs: `1.0` or `2.0`.
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_payload_format_version: Option<String>,
        /// Of HTTP APIs: whether it answers `{"isAuthorized": …}`.
        #[serde(skip_serializing_if = "Option::is_none")]
        enable_simple_responses: Option<bool>,
        /// Of JWT authorizers.
        #[serde(skip_serializing_if = "Option::is_none")]
        jwt_configuration: Option<JwtConfiguration>,
        /// A pattern for the identity; of no use with REQUEST authorizers.
        #[serde(skip_serializing_if = "Option::is_none")]
        identity_validation_expression: Option<String>,
    }
}

/// Whose tokens a JWT authorizer takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JwtConfiguration {
    /// The issuer's URL.
    pub issuer: String,
    /// Of `aud` or `client_id`, one.
    pub audience: Vec<String>,
}

resource! {
    /// A model: a schema that messages are checked against.
    Model {
        /// Its id.
        model_id: ModelId,
        /// Its name, letters and digits.
        name: String,
        /// `application/json`.
        #[serde(skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// JSON Schema, draft 4.
        schema: String,
        /// What it says of itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    }
}

/// What became of a deployment (row D3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DeploymentStatus {
    /// It is being made.
    Pending,
    /// It could not be made.
    Failed,
    /// It can be served.
    Deployed,
}

resource! {
    /// A deployment: an immutable snapshot of an api (row D1).
    Deployment {
        /// Its id.
        deployment_id: DeploymentId,
        /// What became of it.
        deployment_status: DeploymentStatus,
        /// Why, if it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment_status_message: Option<String>,
        /// What it says of itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Whether AutoDeploy made it (row D4).
        auto_deployed: bool,
        /// When it was made.
        #[serde(serialize_with = "iso8601")]
        created_date: Timestamp,
        /// What it serves.
        #[serde(skip)]
        snapshot: Arc<Snapshot>,
    }
}

resource! {
    /// A stage: a pointer to a deployment, and settings that are live at once (row D2).
    Stage {
        /// Its name.
        stage_name: StageName,
        /// The deployment that it serves; without one it refuses everything (row C3).
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment_id: Option<DeploymentId>,
        /// Whether API Gateway deploys by itself (rows D4, D5).
        auto_deploy: bool,
        /// What came of AutoDeploy's last deployment.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_deployment_status_message: Option<String>,
        /// Throttles and logging of all routes.
        default_route_settings: RouteSettings,
        /// The same for single routes.
        route_settings: IndexMap<String, RouteSettings>,
        /// Variables of the stage.
        stage_variables: Pairs,
        /// Access logs.
        #[serde(skip_serializing_if = "Option::is_none")]
        access_log_settings: Option<AccessLogSettings>,
        /// The client certificate for its integrations.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_certificate_id: Option<String>,
        /// What it says of itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// When it was made.
        #[serde(serialize_with = "iso8601")]
        created_date: Timestamp,
        /// When it last changed.
        #[serde(serialize_with = "iso8601")]
        last_updated_date: Timestamp,
        /// Its tags.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        tags: Pairs,
    }
}

/// Throttles and logging.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteSettings {
    /// Whether messages are logged whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_trace_enabled: Option<bool>,
    /// Whether there are metrics of single routes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detailed_metrics_enabled: Option<bool>,
    /// `ERROR`, `INFO` or `OFF`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging_level: Option<String>,
    /// Requests at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling_burst_limit: Option<u32>,
    /// Requests a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling_rate_limit: Option<f64>,
}

/// Where access logs go and how they read (rows L1, L2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLogSettings {
    /// The log group's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_arn: Option<String>,
    /// A line with `$context.` variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

fn iso8601<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.iso8601())
}
