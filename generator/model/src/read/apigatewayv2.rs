//! APIs of API Gateway v2.

use std::collections::HashMap;
use std::sync::Arc;

use super::lookup_key::link_key;
use super::{Reader, texts};
use crate::api::{
    Api, ApiMapping, ApiModel, Authorizer, Deployment, DomainName, Integration,
    IntegrationResponse, Protocol, Route, RouteResponse, Stage,
};
use crate::resource::Resource;
use crate::{Link, Resolved, RouteKey, Text};

const API: &str = "AWS::ApiGatewayV2::Api";
const AUTHORIZER: &str = "AWS::ApiGatewayV2::Authorizer";
const DEPLOYMENT: &str = "AWS::ApiGatewayV2::Deployment";
pub(super) const DOMAIN: &str = "AWS::ApiGatewayV2::DomainName";
const INTEGRATION: &str = "AWS::ApiGatewayV2::Integration";
pub(super) const INTEGRATION_RESPONSE: &str = "AWS::ApiGatewayV2::IntegrationResponse";
const MAPPING: &str = "AWS::ApiGatewayV2::ApiMapping";
const MODEL: &str = "AWS::ApiGatewayV2::Model";
const ROLE: &str = "AWS::IAM::Role";
const ROUTE: &str = "AWS::ApiGatewayV2::Route";
pub(super) const ROUTE_RESPONSE: &str = "AWS::ApiGatewayV2::RouteResponse";
pub(super) const STAGE: &str = "AWS::ApiGatewayV2::Stage";

impl<'a> Reader<'a> {
    /// Returns the APIs of the template, then those outside of it that its resources belong to.
    pub(super) fn apis(&self) -> Vec<Api> {
        let mut apis = Apis::default();
        self.of_type(API)
            .for_each(|resource| apis.add(api(resource)));
        let kinds = [
            ROUTE,
            INTEGRATION,
            AUTHORIZER,
            MODEL,
            DEPLOYMENT,
            STAGE,
            MAPPING,
        ];
        for resource in self.resources.values() {
            if kinds.contains(&resource.kind.as_str()) {
                let id = self.link(resource.properties.text("ApiId"), API, None);
                self.add(apis.owner(id), resource);
            }
        }
        apis.list
    }

    pub(super) fn domain_names(&self) -> Vec<DomainName> {
        let domains = self.of_type(DOMAIN).map(|resource| DomainName {
            resource: resource.clone(),
            name: resource.properties.text("DomainName"),
        });
        domains.collect()
    }

    fn add(&self, api: &mut Api, resource: &Arc<Resource>) {
        match resource.kind.as_str() {
            ROUTE => api.routes.push(self.route(resource)),
            INTEGRATION => api.integrations.push(self.integration(resource)),
            AUTHORIZER => api.authorizers.push(self.authorizer(resource)),
            MODEL => api.models.push(ApiModel {
                resource: resource.clone(),
                name: resource.properties.text("Name"),
            }),
            DEPLOYMENT => api.deployments.push(Deployment {
                resource: resource.clone(),
                description: resource.properties.text("Description"),
                stage_name: resource.properties.text("StageName"),
            }),
            STAGE => api.stages.push(self.stage(resource)),
            _ => api.mappings.push(self.mapping(resource)),
        }
    }

    fn route(&self, resource: &Arc<Resource>) -> Route {
        let properties = &resource.properties;
        let target = properties.text("Target");
        let integration = target
            .as_ref()
            .and_then(|target| target.strip_prefix("integrations/"));
        Route {
            resource: resource.clone(),
            key: RouteKey::new(shown(properties.text("RouteKey"))),
            authorization_type: properties.text("AuthorizationType"),
            authorizer: self.link(properties.text("AuthorizerId"), AUTHORIZER, None),
            target: self.link(integration.or(target), INTEGRATION, None),
            api_key_required: properties.bool("ApiKeyRequired"),
            route_response_selection_expression: properties
                .text("RouteResponseSelectionExpression"),
            responses: self
                .children(ROUTE_RESPONSE, "RouteId", resource)
                .map(|response| RouteResponse {
                    resource: response.clone(),
                    key: RouteKey::new(shown(response.properties.text("RouteResponseKey"))),
                })
                .collect(),
        }
    }

    fn integration(&self, resource: &Arc<Resource>) -> Integration {
        let properties = &resource.properties;
        let uri = properties.text("IntegrationUri");
        Integration {
            resource: resource.clone(),
            integration_type: properties.text("IntegrationType"),
            function: self.invoked(uri.as_ref()),
            uri,
            credentials: self.link(properties.text("CredentialsArn"), ROLE, Some("Arn")),
            timeout_millis: properties.int("TimeoutInMillis"),
            payload_format_version: properties.text("PayloadFormatVersion"),
            responses: self
                .children(INTEGRATION_RESPONSE, "IntegrationId", resource)
                .map(|response| IntegrationResponse {
                    resource: response.clone(),
                    key: response
                        .properties
                        .text("IntegrationResponseKey")
                        .unwrap_or_default(),
                })
                .collect(),
        }
    }

    fn authorizer(&self, resource: &Arc<Resource>) -> Authorizer {
        let properties = &resource.properties;
        let uri = properties.text("AuthorizerUri");
        Authorizer {
            resource: resource.clone(),
            name: properties.text("Name"),
            authorizer_type: properties.text("AuthorizerType"),
            function: self.invoked(uri.as_ref()),
            uri,
            identity_sources: texts(properties.get("IdentitySource")),
            credentials: self.link(
                properties.text("AuthorizerCredentialsArn"),
                ROLE,
                Some("Arn"),
            ),
        }
    }

    fn stage(&self, resource: &Arc<Resource>) -> Stage {
        let properties = &resource.properties;
        Stage {
            resource: resource.clone(),
            name: properties.text("StageName"),
            deployment: self.link(properties.text("DeploymentId"), DEPLOYMENT, None),
            auto_deploy: properties.bool("AutoDeploy"),
            default_route_settings: properties.get("DefaultRouteSettings").cloned(),
            route_settings: properties.get("RouteSettings").cloned(),
            access_log: properties.get("AccessLogSettings").cloned(),
            variables: properties.get("StageVariables").cloned(),
        }
    }

    fn mapping(&self, resource: &Arc<Resource>) -> ApiMapping {
        let properties = &resource.properties;
        let domain = properties.text("DomainName");
        let named = domain.as_ref().and_then(|name| {
            let mut domains = self.index.domains(name).iter();
            domains.find(|domain| domain.properties.text("DomainName").as_ref() == Some(name))
        });
        ApiMapping {
            resource: resource.clone(),
            domain: match named {
                Some(resource) => Link::To(resource.logical_id.clone()),
                None => self.link(domain, DOMAIN, None),
            },
            stage: self.stage_link(properties),
            key: properties.text("ApiMappingKey"),
        }
    }

    /// Returns the link to the stage of a mapping, which names it by `Ref` or by its name.
    fn stage_link(&self, mapping: &Resolved) -> Link {
        let name = mapping.text("Stage");
        let same = |stage: &&&Arc<Resource>| {
            stage.properties.text("StageName") == name
                && stage.properties.text("ApiId") == mapping.text("ApiId")
        };
        match self.index.stages(mapping).iter().find(same) {
            Some(stage) if name.is_some() => Link::To(stage.logical_id.clone()),
            _ => self.link(name, STAGE, None),
        }
    }

    /// Returns the resources of a type whose property refers to the parent.
    fn children(
        &self,
        kind: &'static str,
        property: &'static str,
        parent: &Resource,
    ) -> impl Iterator<Item = &'a Arc<Resource>> {
        let responses = self.index.responses(property, &parent.logical_id);
        responses.iter().copied().filter(move |child| {
            let text = child.properties.text(property);
            let reference = text.as_ref().and_then(Text::as_reference);
            child.kind == kind && reference.is_some_and(|reference| reference.attribute.is_none())
        })
    }
}

fn api(resource: &Arc<Resource>) -> Api {
    let properties = &resource.properties;
    let protocol = properties.text("ProtocolType");
    Api {
        id: Link::To(resource.logical_id.clone()),
        resource: Some(resource.clone()),
        protocol: match protocol.as_ref().and_then(Text::as_literal) {
            Some("WEBSOCKET") => Protocol::WebSocket,
            Some("HTTP") => Protocol::Http,
            None if protocol.is_none() && properties.get("Body").is_some() => Protocol::Http,
            _ => Protocol::Unknown,
        },
        name: properties
            .text("Name")
            .or_else(|| properties.get("Body")?.get("info")?.text("title")),
        route_selection_expression: properties.text("RouteSelectionExpression"),
        api_key_selection_expression: properties.text("ApiKeySelectionExpression"),
        disable_schema_validation: properties.bool("DisableSchemaValidation"),
        disable_execute_api_endpoint: properties.bool("DisableExecuteApiEndpoint"),
        cors: properties.get("CorsConfiguration").cloned(),
        ..Api::default()
    }
}

/// APIs in the template's order, and their positions by key.
#[derive(Default)]
struct Apis {
    list: Vec<Api>,
    positions: HashMap<String, Vec<usize>>,
}

impl Apis {
    fn add(&mut self, api: Api) {
        let positions = self.positions.entry(link_key(&api.id)).or_default();
        positions.push(self.list.len());
        self.list.push(api);
    }

    /// Returns the API that a resource belongs to. One outside of the template is added.
    fn owner(&mut self, id: Link) -> &mut Api {
        let positions = self.positions.get(&link_key(&id)).into_iter().flatten();
        let known = positions
            .copied()
            .find(|&position| self.list[position].id == id);
        let position = known.unwrap_or_else(|| {
            self.add(Api {
                id,
                ..Api::default()
            });
            self.list.len() - 1
        });
        &mut self.list[position]
    }
}

fn shown(text: Option<Text>) -> String {
    match text {
        Some(text) => text
            .as_literal()
            .map_or_else(|| text.to_string(), str::to_owned),
        None => String::new(),
    }
}
