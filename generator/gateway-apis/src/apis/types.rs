//! Resources of API Gateway, with apigatewayv2's names and shapes. The control plane answers with these types as they
//! are.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use stackgen_gateway_common::{
    ApiId, AuthorizerId, DeploymentId, EpochMillis, IntegrationId, IntegrationResponseId, ModelId,
    RouteId, RouteKey, RouteResponseId, StageName,
};

/// Names and values, in the order of the request.
pub type Pairs = IndexMap<String, String>;

/// Protocol of an API.
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
    /// An API without its resources.
    StoredApi {
        /// API ID.
        api_id: ApiId,
        /// Name.
        name: String,
        /// Protocol.
        protocol_type: ProtocolType,
        /// Endpoint: `ws://127.0.0.1:{port}` or `http://127.0.0.1:{port}`, set once the API listens.
        #[serde(skip_serializing_if = "Option::is_none")]
        api_endpoint: Option<String>,
        /// Expression that selects the route of a message (row M1).
        route_selection_expression: String,
        /// Source of the API key (row A15).
        api_key_selection_expression: String,
        /// CORS settings of an HTTP API.
        #[serde(skip_serializing_if = "Option::is_none")]
        cors_configuration: Option<Cors>,
        /// Description.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Turns off the validation of messages against models.
        disable_schema_validation: bool,
        /// Turns off the default endpoint, so that only a custom domain reaches the API.
        disable_execute_api_endpoint: bool,
        /// Time of creation.
        #[serde(serialize_with = "iso8601")]
        created_date: EpochMillis,
        /// Version, free text.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// `ipv4` or `dualstack`.
        #[serde(skip_serializing_if = "Option::is_none")]
        ip_address_type: Option<String>,
        /// Tags.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        tags: Pairs,
    }
}

impl StoredApi {
    /// Returns the URL of a stage. The path of `$default` of an HTTP API is empty.
    pub fn stage_url(&self, stage: &StageName) -> String {
        let endpoint = self.api_endpoint.as_deref().unwrap_or_default();
        match (stage.as_str(), self.protocol_type) {
            ("$default", ProtocolType::Http) => endpoint.to_owned(),
            (name, _) => format!("{endpoint}/{name}"),
        }
    }
}

/// CORS settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cors {
    /// Allows credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<bool>,
    /// Allowed request headers, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_headers: Vec<String>,
    /// Allowed methods, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_methods: Vec<String>,
    /// Allowed origins, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_origins: Vec<String>,
    /// Response headers that pages may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// Seconds for which browsers may cache the answer to a preflight request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
}

resource! {
    /// A route.
    StoredRoute {
        /// Route ID.
        route_id: RouteId,
        /// Route key.
        route_key: RouteKey,
        /// `NONE`, `AWS_IAM`, `CUSTOM` or `JWT`.
        authorization_type: String,
        /// Authorizer ID.
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_id: Option<AuthorizerId>,
        /// OAuth scopes, one of which a token must have (HTTP APIs only).
        #[serde(skip_serializing_if = "Vec::is_empty")]
        authorization_scopes: Vec<String>,
        /// Requires an API key (row A15).
        api_key_required: bool,
        /// `integrations/{id}`. A route without a target cannot be called (row F2).
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        /// `$default` makes the route two-way, together with a route response (row M8).
        #[serde(skip_serializing_if = "Option::is_none")]
        route_response_selection_expression: Option<String>,
        /// Expression that selects the model of a message by its key in `request_models` (row M6).
        #[serde(skip_serializing_if = "Option::is_none")]
        model_selection_expression: Option<String>,
        /// Model names by the value of the expression; `$default` matches any value.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        request_models: Pairs,
        /// Request parameters of `$connect` (row M9): `route.request.querystring.x` with `{"required": …}`.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        request_parameters: IndexMap<String, ParameterConstraints>,
        /// Operation name, free text.
        #[serde(skip_serializing_if = "Option::is_none")]
        operation_name: Option<String>,
    }
}

/// Constraints of a request parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParameterConstraints {
    /// The parameter must be present.
    #[serde(default)]
    pub required: bool,
}

resource! {
    /// An integration.
    StoredIntegration {
        /// Integration ID.
        integration_id: IntegrationId,
        /// `AWS_PROXY`, `MOCK`, `HTTP_PROXY`, …
        integration_type: String,
        /// Target: an invocation URI or a URL.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_uri: Option<String>,
        /// `POST` for functions.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_method: Option<String>,
        /// Role for calling the function. Without one, the function's policy decides (row C7).
        #[serde(skip_serializing_if = "Option::is_none")]
        credentials_arn: Option<String>,
        /// Timeout in milliseconds: 50 to 29,000, on HTTP APIs to 30,000 (row C8).
        timeout_in_millis: u64,
        /// `1.0`, or on HTTP APIs also `2.0`.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload_format_version: Option<String>,
        /// `INTERNET` or `VPC_LINK`.
        connection_type: String,
        /// VPC link ID.
        #[serde(skip_serializing_if = "Option::is_none")]
        connection_id: Option<String>,
        /// AWS service action that an HTTP API's integration calls: `EventBridge-PutEvents`.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_subtype: Option<String>,
        /// Expression that selects the integration response.
        #[serde(skip_serializing_if = "Option::is_none")]
        integration_response_selection_expression: Option<String>,
        /// `CONVERT_TO_TEXT` or `CONVERT_TO_BINARY` (row M10).
        #[serde(skip_serializing_if = "Option::is_none")]
        content_handling_strategy: Option<String>,
        /// Treatment of a message that no request template matches.
        #[serde(skip_serializing_if = "Option::is_none")]
        passthrough_behavior: Option<String>,
        /// Expression that selects the request template.
        #[serde(skip_serializing_if = "Option::is_none")]
        template_selection_expression: Option<String>,
        /// Request templates of `MOCK`, `HTTP` and `AWS` integrations.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        request_templates: Pairs,
        /// Request parameters.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        request_parameters: Pairs,
        /// Changes to the response by status (HTTP APIs only).
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        response_parameters: IndexMap<String, Pairs>,
        /// TLS settings of a private integration.
        #[serde(skip_serializing_if = "Option::is_none")]
        tls_config: Option<TlsConfig>,
        /// Description.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    }
}

/// TLS settings of a private integration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TlsConfig {
    /// Server name that the certificate must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name_to_verify: Option<String>,
}

resource! {
    /// An integration response: how an integration's answer is transformed.
    StoredIntegrationResponse {
        /// Integration response ID.
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
        /// Expression that selects the template.
        #[serde(skip_serializing_if = "Option::is_none")]
        template_selection_expression: Option<String>,
    }
}

resource! {
    /// A route response.
    StoredRouteResponse {
        /// Route response ID.
        route_response_id: RouteResponseId,
        /// Route response key: `$default` (row F5).
        route_response_key: String,
        /// Expression that selects the model.
        #[serde(skip_serializing_if = "Option::is_none")]
        model_selection_expression: Option<String>,
        /// Model names.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        response_models: Pairs,
        /// Response parameters.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        response_parameters: IndexMap<String, ParameterConstraints>,
    }
}

resource! {
    /// An authorizer.
    StoredAuthorizer {
        /// Authorizer ID.
        authorizer_id: AuthorizerId,
        /// Name.
        name: String,
        /// `REQUEST`, or on HTTP APIs also `JWT`.
        authorizer_type: String,
        /// Invocation URI of the function.
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_uri: Option<String>,
        /// Identity sources, all of which must be present (row A2).
        identity_source: Vec<String>,
        /// Role for calling the function (row A16).
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_credentials_arn: Option<String>,
        /// Seconds for which a result is cached (HTTP APIs only).
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_result_ttl_in_seconds: Option<u64>,
        /// `1.0` or `2.0` (HTTP APIs only).
        #[serde(skip_serializing_if = "Option::is_none")]
        authorizer_payload_format_version: Option<String>,
        /// Allows answers of the form `{"isAuthorized": …}` (HTTP APIs only).
        #[serde(skip_serializing_if = "Option::is_none")]
        enable_simple_responses: Option<bool>,
        /// Settings of a JWT authorizer.
        #[serde(skip_serializing_if = "Option::is_none")]
        jwt_configuration: Option<JwtConfiguration>,
        /// Pattern for the identity. REQUEST authorizers ignore it.
        #[serde(skip_serializing_if = "Option::is_none")]
        identity_validation_expression: Option<String>,
    }
}

/// Tokens that a JWT authorizer accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JwtConfiguration {
    /// URL of the issuer.
    pub issuer: String,
    /// Audiences, one of which must be in `aud` or `client_id`.
    pub audience: Vec<String>,
}

resource! {
    /// A model: a schema for messages.
    StoredModel {
        /// Model ID.
        model_id: ModelId,
        /// Name, letters and digits.
        name: String,
        /// `application/json`.
        #[serde(skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// JSON Schema, draft 4.
        schema: String,
        /// Description.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    }
}

resource! {
    /// A stage: a pointer to a deployment, with settings that take effect without a deployment (row D2).
    StoredStage {
        /// Stage name.
        stage_name: StageName,
        /// Deployment that the stage serves. Without one, the stage refuses all requests (row C3).
        #[serde(skip_serializing_if = "Option::is_none")]
        deployment_id: Option<DeploymentId>,
        /// Deploys each change of the API automatically (rows D4, D5).
        auto_deploy: bool,
        /// Result of the last automatic deployment.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_deployment_status_message: Option<String>,
        /// Throttling and logging of all routes.
        default_route_settings: RouteSettings,
        /// Throttling and logging per route.
        route_settings: IndexMap<String, RouteSettings>,
        /// Stage variables.
        stage_variables: Pairs,
        /// Access log settings.
        #[serde(skip_serializing_if = "Option::is_none")]
        access_log_settings: Option<AccessLogSettings>,
        /// Client certificate for integrations.
        #[serde(skip_serializing_if = "Option::is_none")]
        client_certificate_id: Option<String>,
        /// Description.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Time of creation.
        #[serde(serialize_with = "iso8601")]
        created_date: EpochMillis,
        /// Time of the last change.
        #[serde(serialize_with = "iso8601")]
        last_updated_date: EpochMillis,
        /// Tags.
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        tags: Pairs,
    }
}

/// Throttling and logging of routes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteSettings {
    /// Logs complete messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_trace_enabled: Option<bool>,
    /// Turns on metrics per route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detailed_metrics_enabled: Option<bool>,
    /// `ERROR`, `INFO` or `OFF`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging_level: Option<String>,
    /// Requests at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling_burst_limit: Option<u32>,
    /// Requests per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling_rate_limit: Option<f64>,
}

/// Destination and format of access logs (rows L1, L2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccessLogSettings {
    /// ARN of the log group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_arn: Option<String>,
    /// Format of a line, with `$context.` variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

pub(super) fn iso8601<S: serde::Serializer>(
    at: &EpochMillis,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.iso8601())
}
