//! Parts of an API, under CloudFormation's names.

use std::collections::HashMap;

use aws_sdk_apigatewayv2::operation::get_api::GetApiOutput;
use aws_sdk_apigatewayv2::types as sdk;
use serde_json::{Map, Value as Json, json};
use stackgen_deploy::account::{ApiPart, ApiPartKind, Properties};
use stackgen_deploy::{AccountResult, ApiId};

use crate::Aws;
use crate::convert::PropertiesBuilder;
use crate::operation::AwsOperation;
use crate::options::IssuerAlias;
use crate::pages::pages;
use crate::permissions::AwsCall;

/// Reads all pages of a list of an API: the SDK's operation, its AWS name, the path below the API, and further setters.
macro_rules! list {
    ($self:ident, $operation:ident, $name:ident, $api:ident, $path:expr $(, $setter:ident($value:expr))*) => {{
        let path = format!("/apis/{}/{}", $api, $path);
        let operation = AwsOperation::gateway(AwsCall::$name, path);
        pages(&operation, |token| async {
            let page = $self.gateway.$operation().api_id($api.as_str());
            let page = page$(.$setter($value))*.set_next_token(token).send().await;
            let page = operation.result(page)?;
            Ok((operation.items(page.items)?, page.next_token))
        })
        .await?
    }};
}

impl Aws {
    pub(crate) async fn get_routes(&self, api: &ApiId) -> AccountResult<Vec<ApiPart>> {
        let found = list!(self, get_routes, GetRoutes, api, "routes");
        Ok(found.iter().map(route).collect())
    }

    pub(crate) async fn get_route_responses(
        &self,
        api: &ApiId,
        route: &str,
    ) -> AccountResult<Vec<ApiPart>> {
        let path = format!("routes/{route}/routeresponses");
        let found = list!(
            self,
            get_route_responses,
            GetRouteResponses,
            api,
            path,
            route_id(route)
        );
        Ok(found.iter().map(|one| route_response(route, one)).collect())
    }

    pub(crate) async fn get_integrations(&self, api: &ApiId) -> AccountResult<Vec<ApiPart>> {
        let found = list!(self, get_integrations, GetIntegrations, api, "integrations");
        Ok(found.iter().map(integration).collect())
    }

    pub(crate) async fn get_integration_responses(
        &self,
        api: &ApiId,
        integration: &str,
    ) -> AccountResult<Vec<ApiPart>> {
        let path = format!("integrations/{integration}/integrationresponses");
        let found = list!(
            self,
            get_integration_responses,
            GetIntegrationResponses,
            api,
            path,
            integration_id(integration)
        );
        let responses = found.iter();
        Ok(responses
            .map(|one| integration_response(integration, one))
            .collect())
    }

    pub(crate) async fn get_authorizers(&self, api: &ApiId) -> AccountResult<Vec<ApiPart>> {
        let found = list!(self, get_authorizers, GetAuthorizers, api, "authorizers");
        let issuer = self.issuer.as_ref();
        Ok(found.iter().map(|one| authorizer(one, issuer)).collect())
    }

    pub(crate) async fn get_models(&self, api: &ApiId) -> AccountResult<Vec<ApiPart>> {
        let found = list!(self, get_models, GetModels, api, "models");
        Ok(found.iter().map(model).collect())
    }
}

fn part(kind: ApiPartKind, id: &str, parent: Option<&str>, properties: Properties) -> ApiPart {
    ApiPart {
        kind,
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        properties,
    }
}

/// Returns an API's own properties, as far as a deployment snapshots them.
pub(crate) fn api(api: &GetApiOutput) -> Properties {
    PropertiesBuilder::default()
        .text("Name", api.name())
        .text(
            "ProtocolType",
            api.protocol_type().map(sdk::ProtocolType::as_str),
        )
        .text("RouteSelectionExpression", api.route_selection_expression())
        .text(
            "ApiKeySelectionExpression",
            api.api_key_selection_expression(),
        )
        .flag("DisableSchemaValidation", api.disable_schema_validation())
        .flag(
            "DisableExecuteApiEndpoint",
            api.disable_execute_api_endpoint(),
        )
        .map("CorsConfiguration", api.cors_configuration().map(cors))
        .done()
}

fn cors(cors: &sdk::Cors) -> Map<String, Json> {
    PropertiesBuilder::default()
        .flag("AllowCredentials", cors.allow_credentials())
        .list("AllowHeaders", cors.allow_headers())
        .list("AllowMethods", cors.allow_methods())
        .list("AllowOrigins", cors.allow_origins())
        .list("ExposeHeaders", cors.expose_headers())
        .number("MaxAge", cors.max_age())
        .done()
}

fn route(route: &sdk::Route) -> ApiPart {
    let properties = PropertiesBuilder::default()
        .text("RouteKey", route.route_key())
        .text(
            "AuthorizationType",
            route
                .authorization_type()
                .map(sdk::AuthorizationType::as_str),
        )
        .text("AuthorizerId", route.authorizer_id())
        .list("AuthorizationScopes", route.authorization_scopes())
        .flag("ApiKeyRequired", route.api_key_required())
        .text("Target", route.target())
        .text(
            "RouteResponseSelectionExpression",
            route.route_response_selection_expression(),
        )
        .text(
            "ModelSelectionExpression",
            route.model_selection_expression(),
        )
        .text("OperationName", route.operation_name())
        .pairs("RequestModels", route.request_models())
        .constraints("RequestParameters", route.request_parameters())
        .done();
    let id = route.route_id().unwrap_or_default();
    part(ApiPartKind::Route, id, None, properties)
}

fn route_response(route: &str, response: &sdk::RouteResponse) -> ApiPart {
    let properties = PropertiesBuilder::default()
        .text("RouteResponseKey", response.route_response_key())
        .text(
            "ModelSelectionExpression",
            response.model_selection_expression(),
        )
        .pairs("ResponseModels", response.response_models())
        .constraints("ResponseParameters", response.response_parameters())
        .done();
    let id = response.route_response_id().unwrap_or_default();
    part(ApiPartKind::RouteResponse, id, Some(route), properties)
}

fn integration(integration: &sdk::Integration) -> ApiPart {
    let tls = integration
        .tls_config()
        .and_then(sdk::TlsConfig::server_name_to_verify);
    let tls = tls.map(|name| Map::from_iter([("ServerNameToVerify".to_owned(), Json::from(name))]));
    let properties = PropertiesBuilder::default()
        .text(
            "IntegrationType",
            integration
                .integration_type()
                .map(sdk::IntegrationType::as_str),
        )
        .text("IntegrationSubtype", integration.integration_subtype())
        .text("IntegrationMethod", integration.integration_method())
        .text("IntegrationUri", integration.integration_uri())
        .text("ConnectionId", integration.connection_id())
        .text(
            "ConnectionType",
            integration
                .connection_type()
                .map(sdk::ConnectionType::as_str),
        )
        .text(
            "ContentHandlingStrategy",
            integration
                .content_handling_strategy()
                .map(sdk::ContentHandlingStrategy::as_str),
        )
        .text("CredentialsArn", integration.credentials_arn())
        .text("Description", integration.description())
        .text(
            "PassthroughBehavior",
            integration
                .passthrough_behavior()
                .map(sdk::PassthroughBehavior::as_str),
        )
        .text("PayloadFormatVersion", integration.payload_format_version())
        .pairs("RequestParameters", integration.request_parameters())
        .pairs("RequestTemplates", integration.request_templates())
        .map(
            "ResponseParameters",
            integration.response_parameters().map(overwrites),
        )
        .text(
            "TemplateSelectionExpression",
            integration.template_selection_expression(),
        )
        .number("TimeoutInMillis", integration.timeout_in_millis())
        .map("TlsConfig", tls)
        .done();
    let id = integration.integration_id().unwrap_or_default();
    part(ApiPartKind::Integration, id, None, properties)
}

/// Returns an HTTP API's changes of responses by status, in CloudFormation's shape.
fn overwrites(parameters: &HashMap<String, HashMap<String, String>>) -> Map<String, Json> {
    let of_status = |pairs: &HashMap<String, String>| {
        let mut pairs: Vec<_> = pairs.iter().collect();
        pairs.sort();
        let pairs = pairs
            .into_iter()
            .map(|(to, from)| json!({ "Destination": to, "Source": from }));
        json!({ "ResponseParameters": pairs.collect::<Vec<_>>() })
    };
    let all = parameters
        .iter()
        .map(|(status, pairs)| (status.clone(), of_status(pairs)));
    all.collect()
}

fn integration_response(integration: &str, response: &sdk::IntegrationResponse) -> ApiPart {
    let strategy = response
        .content_handling_strategy()
        .map(sdk::ContentHandlingStrategy::as_str);
    let properties = PropertiesBuilder::default()
        .text(
            "IntegrationResponseKey",
            response.integration_response_key(),
        )
        .text("ContentHandlingStrategy", strategy)
        .pairs("ResponseParameters", response.response_parameters())
        .pairs("ResponseTemplates", response.response_templates())
        .text(
            "TemplateSelectionExpression",
            response.template_selection_expression(),
        )
        .done();
    let id = response.integration_response_id().unwrap_or_default();
    part(
        ApiPartKind::IntegrationResponse,
        id,
        Some(integration),
        properties,
    )
}

fn authorizer(authorizer: &sdk::Authorizer, alias: Option<&IssuerAlias>) -> ApiPart {
    let jwt = authorizer.jwt_configuration().map(|jwt| {
        let issuer = jwt.issuer().map(|issuer| match alias {
            Some(alias) if alias.local == issuer => alias.declared.as_str(),
            _ => issuer,
        });
        PropertiesBuilder::default()
            .text("Issuer", issuer)
            .list("Audience", jwt.audience())
            .done()
    });
    let properties = PropertiesBuilder::default()
        .text("Name", authorizer.name())
        .text(
            "AuthorizerType",
            authorizer
                .authorizer_type()
                .map(sdk::AuthorizerType::as_str),
        )
        .text("AuthorizerUri", authorizer.authorizer_uri())
        .text(
            "AuthorizerCredentialsArn",
            authorizer.authorizer_credentials_arn(),
        )
        .text(
            "AuthorizerPayloadFormatVersion",
            authorizer.authorizer_payload_format_version(),
        )
        .number(
            "AuthorizerResultTtlInSeconds",
            authorizer
                .authorizer_result_ttl_in_seconds()
                .filter(|ttl| *ttl != 0),
        )
        .flag(
            "EnableSimpleResponses",
            authorizer
                .enable_simple_responses()
                .filter(|simple| *simple),
        )
        .list("IdentitySource", authorizer.identity_source())
        .text(
            "IdentityValidationExpression",
            authorizer.identity_validation_expression(),
        )
        .map("JwtConfiguration", jwt)
        .done();
    let id = authorizer.authorizer_id().unwrap_or_default();
    part(ApiPartKind::Authorizer, id, None, properties)
}

fn model(model: &sdk::Model) -> ApiPart {
    let properties = PropertiesBuilder::default()
        .text("Name", model.name())
        .text("ContentType", model.content_type())
        .text("Description", model.description())
        .text("Schema", model.schema())
        .done();
    let id = model.model_id().unwrap_or_default();
    part(ApiPartKind::Model, id, None, properties)
}
