//! Inputs for creating and updating resources. One type serves both: when a resource is created, missing values get API
//! Gateway's defaults; when it is updated, they stay unchanged (row D12). An empty text removes an optional value or an
//! entry of a map.

use indexmap::IndexMap;
use serde::Deserialize;
use stackgen_gateway_common::{AuthorizerId, DeploymentId, RouteKey, StageName};

use super::{
    AccessLogSettings, Cors, JwtConfiguration, Pairs, ParameterConstraints, ProtocolType,
    RouteSettings, TlsConfig,
};

macro_rules! input {
    ($(#[$doc:meta])* $name:ident of $resource:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $(
                #[doc = concat!("`", stringify!($field), "` of [`", stringify!($resource), "`](super::", stringify!($resource), ").")]
                pub $field: Option<$type>,
            )*
        }
    };
}

input! {
    /// Input for an API. Creating needs the name and the protocol, and for a WebSocket API the route selection
    /// expression (row F1). With a target, an HTTP API gets an integration, a route and a stage `$default` at once.
    ApiInput of StoredApi {
        name: String,
        protocol_type: ProtocolType,
        route_selection_expression: String,
        api_key_selection_expression: String,
        cors_configuration: Cors,
        description: String,
        disable_schema_validation: bool,
        disable_execute_api_endpoint: bool,
        ip_address_type: String,
        version: String,
        tags: Pairs,
        target: String,
        route_key: RouteKey,
        credentials_arn: String,
    }
}

input! {
    /// Input for a route. Creating needs the key (row F2).
    RouteInput of StoredRoute {
        route_key: RouteKey,
        authorization_type: String,
        authorizer_id: AuthorizerId,
        authorization_scopes: Vec<String>,
        api_key_required: bool,
        target: String,
        route_response_selection_expression: String,
        model_selection_expression: String,
        request_models: Pairs,
        request_parameters: IndexMap<String, ParameterConstraints>,
        operation_name: String,
    }
}

input! {
    /// Input for an integration. Creating needs the type (row F3).
    IntegrationInput of StoredIntegration {
        integration_type: String,
        integration_uri: String,
        integration_method: String,
        integration_subtype: String,
        credentials_arn: String,
        timeout_in_millis: u64,
        payload_format_version: String,
        connection_type: String,
        connection_id: String,
        content_handling_strategy: String,
        passthrough_behavior: String,
        template_selection_expression: String,
        request_templates: Pairs,
        request_parameters: Pairs,
        response_parameters: IndexMap<String, Pairs>,
        tls_config: TlsConfig,
        description: String,
    }
}

input! {
    /// Input for an integration response. Creating needs the key.
    IntegrationResponseInput of StoredIntegrationResponse {
        integration_response_key: String,
        response_templates: Pairs,
        response_parameters: Pairs,
        content_handling_strategy: String,
        template_selection_expression: String,
    }
}

input! {
    /// Input for a route response. Creating needs the key (row F5).
    RouteResponseInput of StoredRouteResponse {
        route_response_key: String,
        model_selection_expression: String,
        response_models: Pairs,
        response_parameters: IndexMap<String, ParameterConstraints>,
    }
}

input! {
    /// Input for an authorizer. Creating needs the type and the name (row F6).
    AuthorizerInput of StoredAuthorizer {
        name: String,
        authorizer_type: String,
        authorizer_uri: String,
        identity_source: Vec<String>,
        authorizer_credentials_arn: String,
        authorizer_result_ttl_in_seconds: u64,
        authorizer_payload_format_version: String,
        enable_simple_responses: bool,
        jwt_configuration: JwtConfiguration,
        identity_validation_expression: String,
    }
}

input! {
    /// Input for a model. Creating needs the name and the schema.
    ModelInput of StoredModel {
        name: String,
        content_type: String,
        schema: String,
        description: String,
    }
}

input! {
    /// Input for a deployment. The stage name is used for creating only: it points that stage at the new deployment
    /// (row D3).
    DeploymentInput of StoredDeployment {
        description: String,
        stage_name: StageName,
    }
}

input! {
    /// Input for a stage. Creating needs the name (row F8). Tags are used for creating only.
    StageInput of StoredStage {
        stage_name: StageName,
        deployment_id: DeploymentId,
        auto_deploy: bool,
        default_route_settings: RouteSettings,
        route_settings: IndexMap<String, RouteSettings>,
        stage_variables: Pairs,
        access_log_settings: AccessLogSettings,
        client_certificate_id: String,
        description: String,
        tags: Pairs,
    }
}
