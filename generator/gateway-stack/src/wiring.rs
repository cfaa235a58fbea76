//! Creates, updates and deletes APIs and their resources.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use stackgen_gateway_apis::apis::ApiInput;
use stackgen_gateway_common::{
    ApiId, AuthorizerId, DeploymentId, IntegrationId, IntegrationResponseId, ModelId, RouteId,
    RouteResponseId,
};

use super::account::{ExistingResource, LocalAccount};
use super::desired::DesiredResource;
use super::resource_error::{ResourceError, ignore_missing};
use super::shapes;

pub(super) fn create(
    account: &LocalAccount,
    id: &str,
    desired: &DesiredResource<'_>,
) -> Result<(), ResourceError> {
    let properties = &desired.properties;
    let (apis, api) = (&account.apis, ApiId::new(desired.text("ApiId")));
    let route = RouteId::new(desired.text("RouteId"));
    let integration = IntegrationId::new(desired.text("IntegrationId"));
    match short_type(&desired.resource.kind) {
        "Api" => {
            let (id, input) = (ApiId::new(id), input(desired, properties)?);
            match properties.get("Body") {
                // The API model contains the document's routes, integrations and authorizers as separate resources.
                Some(document) => {
                    apis.create_api(Some(id.clone()), ApiInput::from_document(document))?;
                    apis.update_api(&id, input)?;
                }
                None => drop(apis.create_api(Some(id), input)?),
            }
        }
        "Route" => {
            let input = input(desired, properties)?;
            apis.create_route(&api, Some(RouteId::new(id)), input)?;
        }
        "Integration" => {
            let input = input(desired, properties)?;
            apis.create_integration(&api, Some(IntegrationId::new(id)), input)?;
        }
        "IntegrationResponse" => {
            let id = Some(IntegrationResponseId::new(id));
            let input = input(desired, properties)?;
            apis.create_integration_response(&api, &integration, id, input)?;
        }
        "RouteResponse" => {
            let id = Some(RouteResponseId::new(id));
            let input = input(desired, properties)?;
            apis.create_route_response(&api, &route, id, input)?;
        }
        "Authorizer" => {
            let input = input(desired, properties)?;
            apis.create_authorizer(&api, Some(AuthorizerId::new(id)), input)?;
        }
        "Model" => {
            let input = input(desired, properties)?;
            apis.create_model(&api, Some(ModelId::new(id)), input)?;
        }
        "Deployment" => {
            let input = input(desired, properties)?;
            apis.create_deployment(&api, Some(DeploymentId::new(id)), input)?;
        }
        _ => drop(apis.create_stage(&api, input(desired, properties)?)?),
    }
    Ok(())
}

pub(super) fn update(
    account: &LocalAccount,
    id: &str,
    desired: &DesiredResource<'_>,
    existing: &ExistingResource,
) -> Result<(), ResourceError> {
    let patch = patch(desired, existing);
    let (apis, api) = (&account.apis, ApiId::new(desired.text("ApiId")));
    let route = RouteId::new(desired.text("RouteId"));
    let integration = IntegrationId::new(desired.text("IntegrationId"));
    match short_type(&desired.resource.kind) {
        "Api" => {
            let document = desired.properties.get("Body");
            if let Some(document) =
                document.filter(|new| existing.properties.get("Body") != Some(new))
            {
                apis.update_api(&ApiId::new(id), ApiInput::from_document(document))?;
            }
            apis.update_api(&ApiId::new(id), deserialize(patch)?)?;
        }
        "Route" => drop(apis.update_route(&api, &RouteId::new(id), deserialize(patch)?)?),
        "Integration" => {
            apis.update_integration(&api, &IntegrationId::new(id), deserialize(patch)?)?;
        }
        "IntegrationResponse" => {
            let id = IntegrationResponseId::new(id);
            apis.update_integration_response(&api, &integration, &id, deserialize(patch)?)?;
        }
        "RouteResponse" => {
            let id = RouteResponseId::new(id);
            apis.update_route_response(&api, &route, &id, deserialize(patch)?)?;
        }
        "Authorizer" => {
            apis.update_authorizer(&api, &AuthorizerId::new(id), deserialize(patch)?)?;
        }
        "Model" => drop(apis.update_model(&api, &ModelId::new(id), deserialize(patch)?)?),
        "Deployment" => {
            apis.update_deployment(&api, &DeploymentId::new(id), deserialize(patch)?)?;
        }
        _ => drop(apis.update_stage(&api, id, deserialize(patch)?)?),
    }
    Ok(())
}

pub(super) fn delete(
    account: &LocalAccount,
    existing: &ExistingResource,
) -> Result<(), ResourceError> {
    let (apis, id) = (&account.apis, existing.physical_id.as_str());
    let api = ApiId::new(existing.text("ApiId"));
    let route = RouteId::new(existing.text("RouteId"));
    let integration = IntegrationId::new(existing.text("IntegrationId"));
    match short_type(&existing.kind) {
        "Api" => ignore_missing(apis.delete_api(&ApiId::new(id))),
        "Route" => ignore_missing(apis.delete_route(&api, &RouteId::new(id))),
        "Integration" => ignore_missing(apis.delete_integration(&api, &IntegrationId::new(id))),
        "IntegrationResponse" => {
            let id = IntegrationResponseId::new(id);
            ignore_missing(apis.delete_integration_response(&api, &integration, &id))
        }
        "RouteResponse" => {
            let id = RouteResponseId::new(id);
            ignore_missing(apis.delete_route_response(&api, &route, &id))
        }
        "Authorizer" => ignore_missing(apis.delete_authorizer(&api, &AuthorizerId::new(id))),
        "Model" => ignore_missing(apis.delete_model(&api, &ModelId::new(id))),
        "Deployment" => ignore_missing(apis.delete_deployment(&api, &DeploymentId::new(id))),
        _ => ignore_missing(apis.delete_stage(&api, id)),
    }
}

/// Returns true if the account has a resource of this type with this ID.
pub(super) fn exists(account: &LocalAccount, kind: &str, api: &str, id: &str) -> bool {
    let (apis, api) = (&account.apis, ApiId::new(api));
    match short_type(kind) {
        "Api" => apis.get_api(&ApiId::new(id)).is_ok(),
        "Route" => apis.get_route(&api, &RouteId::new(id)).is_ok(),
        "Integration" => (apis.get_integration(&api, &IntegrationId::new(id))).is_ok(),
        "Authorizer" => (apis.get_authorizer(&api, &AuthorizerId::new(id))).is_ok(),
        "Model" => apis.get_model(&api, &ModelId::new(id)).is_ok(),
        "Deployment" => (apis.get_deployment(&api, &DeploymentId::new(id))).is_ok(),
        _ => false,
    }
}

/// Returns the input of an update: changed properties, and values that reset removed ones.
fn patch(desired: &DesiredResource<'_>, existing: &ExistingResource) -> Map<String, Json> {
    let kind = desired.resource.kind.as_str();
    let mut patch = Map::new();
    for (name, shape) in shapes::shapes_of(kind).unwrap_or_default() {
        let (before, after) = (
            existing.properties.get(*name),
            desired.properties.get(*name),
        );
        let value = match (before, after) {
            (before, Some(after)) if before != Some(after) => {
                shapes::convert(after.clone(), *shape)
            }
            (Some(before), None) if !shapes::stays_after_removal(kind, name) => {
                shapes::reset_value(before, *shape)
            }
            _ => continue,
        };
        patch.insert(shapes::api_name(name), value);
    }
    patch
}

/// Returns the input of a creation: all properties.
fn input<T: DeserializeOwned>(
    desired: &DesiredResource<'_>,
    properties: &Map<String, Json>,
) -> Result<T, ResourceError> {
    let shapes = shapes::shapes_of(&desired.resource.kind).unwrap_or_default();
    let shaped = shapes::convert(
        Json::Object(properties.clone()),
        shapes::Shape::Object(shapes),
    );
    match shaped {
        Json::Object(input) => deserialize(input),
        _ => deserialize(Map::new()),
    }
}

fn deserialize<T: DeserializeOwned>(input: Map<String, Json>) -> Result<T, ResourceError> {
    serde_json::from_value(Json::Object(input))
        .map_err(|error| ResourceError::new(format!("a property has the wrong type: {error}")))
}

/// Returns the type without the service.
fn short_type(kind: &str) -> &str {
    kind.strip_prefix("AWS::ApiGatewayV2::").unwrap_or(kind)
}
