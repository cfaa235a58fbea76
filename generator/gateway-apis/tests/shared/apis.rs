//! Resources of an API with minimal settings.

use std::collections::HashMap;
use std::sync::Arc;

use stackgen_gateway_apis::apis::{
    Pairs, ProtocolType, RouteSettings, Snapshot, StoredApi, StoredAuthorizer, StoredIntegration,
    StoredRoute, StoredStage,
};
use stackgen_gateway_common::{
    ApiId, ArnScope, AuthorizerId, DeploymentId, EpochMillis, IntegrationId, RouteId, RouteKey,
    StageName,
};

pub(crate) fn api(id: &str, protocol_type: ProtocolType) -> StoredApi {
    StoredApi {
        api_id: ApiId::new(id),
        name: id.to_owned(),
        protocol_type,
        api_endpoint: None,
        route_selection_expression: "$request.body.action".to_owned(),
        api_key_selection_expression: "$request.header.x-api-key".to_owned(),
        cors_configuration: None,
        description: None,
        disable_schema_validation: false,
        disable_execute_api_endpoint: false,
        version: None,
        ip_address_type: None,
        created_date: EpochMillis::default(),
        tags: Pairs::new(),
    }
}

/// Returns a snapshot of an API without other resources.
pub(crate) fn snapshot(api: StoredApi) -> Snapshot {
    Snapshot {
        api: Arc::new(api),
        routes: HashMap::new(),
        integrations: HashMap::new(),
        integration_responses: HashMap::new(),
        route_responses: HashMap::new(),
        authorizers: HashMap::new(),
        models: HashMap::new(),
    }
}

/// Returns a stage that has a deployment.
pub(crate) fn stage(name: &str) -> StoredStage {
    StoredStage {
        stage_name: StageName::new(name),
        deployment_id: Some(DeploymentId::new("dep001")),
        auto_deploy: false,
        last_deployment_status_message: None,
        default_route_settings: RouteSettings::default(),
        route_settings: indexmap::IndexMap::new(),
        stage_variables: Pairs::new(),
        access_log_settings: None,
        client_certificate_id: None,
        description: None,
        created_date: EpochMillis::default(),
        last_updated_date: EpochMillis::default(),
        tags: Pairs::new(),
    }
}

/// Returns a route without authorization to an integration.
pub(crate) fn route(id: &str, key: &str, integration: &IntegrationId) -> StoredRoute {
    StoredRoute {
        route_id: RouteId::new(id),
        route_key: RouteKey::new(key),
        authorization_type: "NONE".to_owned(),
        authorizer_id: None,
        authorization_scopes: Vec::new(),
        api_key_required: false,
        target: Some(format!("integrations/{integration}")),
        route_response_selection_expression: None,
        model_selection_expression: None,
        request_models: Pairs::new(),
        request_parameters: indexmap::IndexMap::new(),
        operation_name: None,
    }
}

/// Returns the proxy integration of a function.
pub(crate) fn integration(id: &str, function: &str) -> StoredIntegration {
    StoredIntegration {
        integration_id: IntegrationId::new(id),
        integration_type: "AWS_PROXY".to_owned(),
        integration_uri: Some(ArnScope::default().function(function).invocation_uri()),
        integration_method: Some("POST".to_owned()),
        credentials_arn: None,
        timeout_in_millis: 29_000,
        payload_format_version: None,
        connection_type: "INTERNET".to_owned(),
        connection_id: None,
        integration_subtype: None,
        integration_response_selection_expression: None,
        response_parameters: indexmap::IndexMap::new(),
        tls_config: None,
        content_handling_strategy: None,
        passthrough_behavior: None,
        template_selection_expression: None,
        request_templates: Pairs::new(),
        request_parameters: Pairs::new(),
        description: None,
    }
}

/// Returns an authorizer of this type without a function.
pub(crate) fn authorizer(
    id: &str,
    authorizer_type: &str,
    identity_source: &[&str],
) -> StoredAuthorizer {
    StoredAuthorizer {
        authorizer_id: AuthorizerId::new(id),
        name: "authorizer".to_owned(),
        authorizer_type: authorizer_type.to_owned(),
        authorizer_uri: None,
        identity_source: identity_source.iter().map(|&one| one.to_owned()).collect(),
        authorizer_credentials_arn: None,
        authorizer_result_ttl_in_seconds: None,
        authorizer_payload_format_version: None,
        enable_simple_responses: None,
        jwt_configuration: None,
        identity_validation_expression: None,
    }
}
