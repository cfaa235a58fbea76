//! Everything of an API that a deployment snapshots (row D1).
//!
//! Responses are asked for only where they have an effect: those of routes that select one (row M8), and those of
//! integrations that are no proxies. Each takes a call of its own, and calls are scarce (row D15).

use aws_sdk_apigatewayv2::types as sdk;
use serde_json::{Map, Value as Json, json};
use stackgen_deploy::account::{ApiDescription, Part, PartKind, Properties};
use stackgen_deploy::{AccountError, ApiId};

use crate::Aws;
use crate::catalog::pages;
use crate::convert::Told;
use crate::error::Call;

type Answer<T> = Result<T, AccountError>;

/// All items of a list of an API: the operation, its AWS name, what of the API, and what it is of.
macro_rules! all {
    ($self:ident, $operation:ident, $name:literal, $api:ident, $path:expr $(, $setter:ident($value:expr))*) => {{
        let call = Call::new($name, format!("apigateway:GET on /apis/{}/{}", $api, $path));
        pages(&call, |token| async {
            let page = $self.gateway.$operation().api_id($api.as_str());
            let page = page$(.$setter($value))*.set_next_token(token).send().await;
            let page = call.answer(page)?;
            Ok((page.items.unwrap_or_default(), page.next_token))
        })
        .await?
    }};
}

impl Aws {
    pub(crate) async fn wiring(&self, api: &ApiId) -> Answer<ApiDescription> {
        let call = Call::new("GetApi", format!("apigateway:GET on /apis/{api}"));
        let own = call.answer(self.gateway.get_api().api_id(api.as_str()).send().await)?;
        let is_websocket = own.protocol_type() != Some(&sdk::ProtocolType::Http);
        let mut parts = self.routes(api, is_websocket).await?;
        parts.extend(self.integrations(api, is_websocket).await?);
        for found in all!(self, get_authorizers, "GetAuthorizers", api, "authorizers") {
            let id = found.authorizer_id().unwrap_or_default();
            parts.push(part(
                PartKind::Authorizer,
                id,
                None,
                authorizer(&found, self.issuer.as_ref()),
            ));
        }
        if is_websocket {
            for found in all!(self, get_models, "GetModels", api, "models") {
                let id = found.model_id().unwrap_or_default();
                parts.push(part(PartKind::Model, id, None, model(&found)));
            }
        }
        let protocol = own.protocol_type().map(sdk::ProtocolType::as_str);
        let properties = Told::default()
            .text("Name", own.name())
            .text("ProtocolType", protocol)
            .text("RouteSelectionExpression", own.route_selection_expression())
            .text(
                "ApiKeySelectionExpression",
                own.api_key_selection_expression(),
            )
            .flag("DisableSchemaValidation", own.disable_schema_validation())
            .flag(
                "DisableExecuteApiEndpoint",
                own.disable_execute_api_endpoint(),
            )
            .map("CorsConfiguration", own.cors_configuration().map(cors));
        Ok(ApiDescription {
            api: properties.done(),
            parts,
        })
    }

    async fn routes(&self, api: &ApiId, is_websocket: bool) -> Answer<Vec<Part>> {
        let mut parts = Vec::new();
        for found in all!(self, get_routes, "GetRoutes", api, "routes") {
            let id = found.route_id().unwrap_or_default();
            if is_websocket && found.route_response_selection_expression().is_some() {
                let path = format!("routes/{id}/routeresponses");
                let responses = all!(
                    self,
                    get_route_responses,
                    "GetRouteResponses",
                    api,
                    path,
                    route_id(id)
                );
                parts.extend(
                    responses
                        .iter()
                        .map(|response| route_response(id, response)),
                );
            }
            parts.push(part(PartKind::Route, id, None, route(&found)));
        }
        Ok(parts)
    }

    async fn integrations(&self, api: &ApiId, is_websocket: bool) -> Answer<Vec<Part>> {
        let mut parts = Vec::new();
        for found in all!(
            self,
            get_integrations,
            "GetIntegrations",
            api,
            "integrations"
        ) {
            let id = found.integration_id().unwrap_or_default();
            if is_websocket && !is_proxy(&found) {
                let path = format!("integrations/{id}/integrationresponses");
                let responses = all!(
                    self,
                    get_integration_responses,
                    "GetIntegrationResponses",
                    api,
                    path,
                    integration_id(id)
                );
                parts.extend(
                    responses
                        .iter()
                        .map(|response| integration_response(id, response)),
                );
            }
            parts.push(part(PartKind::Integration, id, None, integration(&found)));
        }
        Ok(parts)
    }
}

fn part(kind: PartKind, id: &str, parent: Option<&str>, properties: Properties) -> Part {
    Part {
        kind,
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        properties,
    }
}

fn is_proxy(integration: &sdk::Integration) -> bool {
    use sdk::IntegrationType::{AwsProxy, HttpProxy};
    matches!(integration.integration_type(), Some(AwsProxy | HttpProxy))
}

fn cors(cors: &sdk::Cors) -> Map<String, Json> {
    Told::default()
        .flag("AllowCredentials", cors.allow_credentials())
        .list("AllowHeaders", cors.allow_headers())
        .list("AllowMethods", cors.allow_methods())
        .list("AllowOrigins", cors.allow_origins())
        .list("ExposeHeaders", cors.expose_headers())
        .number("MaxAge", cors.max_age())
        .done()
}

fn route(route: &sdk::Route) -> Properties {
    Told::default()
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
        .done()
}

fn route_response(route: &str, response: &sdk::RouteResponse) -> Part {
    let properties = Told::default()
        .text("RouteResponseKey", response.route_response_key())
        .text(
            "ModelSelectionExpression",
            response.model_selection_expression(),
        )
        .pairs("ResponseModels", response.response_models())
        .constraints("ResponseParameters", response.response_parameters())
        .done();
    let id = response.route_response_id().unwrap_or_default();
    part(PartKind::RouteResponse, id, Some(route), properties)
}

fn integration(integration: &sdk::Integration) -> Properties {
    let tls = integration
        .tls_config()
        .and_then(sdk::TlsConfig::server_name_to_verify);
    let tls = tls.map(|name| Map::from_iter([("ServerNameToVerify".to_owned(), Json::from(name))]));
    Told::default()
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
        .done()
}

/// What an HTTP API changes of responses, by status, in CloudFormation's shape.
fn overwrites(
    parameters: &std::collections::HashMap<String, std::collections::HashMap<String, String>>,
) -> Map<String, Json> {
    let of_status = |pairs: &std::collections::HashMap<String, String>| {
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

fn integration_response(integration: &str, response: &sdk::IntegrationResponse) -> Part {
    let strategy = response
        .content_handling_strategy()
        .map(sdk::ContentHandlingStrategy::as_str);
    let properties = Told::default()
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
        PartKind::IntegrationResponse,
        id,
        Some(integration),
        properties,
    )
}

fn authorizer(authorizer: &sdk::Authorizer, stand_in: Option<&(String, String)>) -> Properties {
    let jwt = authorizer.jwt_configuration().map(|jwt| {
        let issuer = jwt.issuer().map(|told| match stand_in {
            Some((stand_in, own)) if stand_in == told => own,
            _ => told,
        });
        Told::default()
            .text("Issuer", issuer)
            .list("Audience", jwt.audience())
            .done()
    });
    Told::default()
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
        .done()
}

fn model(model: &sdk::Model) -> Properties {
    Told::default()
        .text("Name", model.name())
        .text("ContentType", model.content_type())
        .text("Description", model.description())
        .text("Schema", model.schema())
        .done()
}
