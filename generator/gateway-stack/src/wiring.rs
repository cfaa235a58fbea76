//! Apis and what belongs to them.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use stackgen_gateway_apis::apis::ApiInput;
use stackgen_gateway_common::{
    ApiId, AuthorizerId, DeploymentId, IntegrationId, IntegrationResponseId, ModelId, RouteId,
    RouteResponseId,
};

use super::account::{Account, Existing};
use super::fault::{Fault, gone};
use super::shapes;
use super::wanted::Wanted;

pub(super) fn create(account: &Account, id: &str, wanted: &Wanted<'_>) -> Result<(), Fault> {
    let properties = &wanted.properties;
    let (apis, api) = (&account.apis, ApiId::new(wanted.text("ApiId")));
    let route = RouteId::new(wanted.text("RouteId"));
    let integration = IntegrationId::new(wanted.text("IntegrationId"));
    match short(&wanted.resource.kind) {
        "Api" => {
            let (id, input) = (ApiId::new(id), input(wanted, properties)?);
            match properties.get("Body") {
                // The model has its routes, integrations and authorizers as resources of their own.
                Some(document) => {
                    apis.create_api(Some(id.clone()), ApiInput::from_document(document))?;
                    apis.update_api(&id, input)?;
                }
                None => drop(apis.create_api(Some(id), input)?),
            }
        }
        "Route" => {
            let input = input(wanted, properties)?;
            apis.create_route(&api, Some(RouteId::new(id)), input)?;
        }
        "Integration" => {
            let input = input(wanted, properties)?;
            apis.create_integration(&api, Some(IntegrationId::new(id)), input)?;
        }
        "IntegrationResponse" => {
            let id = Some(IntegrationResponseId::new(id));
            let input = input(wanted, properties)?;
            apis.create_integration_response(&api, &integration, id, input)?;
        }
        "RouteResponse" => {
            let id = Some(RouteResponseId::new(id));
            let input = input(wanted, properties)?;
            apis.create_route_response(&api, &route, id, input)?;
        }
        "Authorizer" => {
            let input = input(wanted, properties)?;
            apis.create_authorizer(&api, Some(AuthorizerId::new(id)), input)?;
        }
        "Model" => {
            let input = input(wanted, properties)?;
            apis.create_model(&api, Some(ModelId::new(id)), input)?;
        }
        "Deployment" => {
            let input = input(wanted, properties)?;
            apis.create_deployment(&api, Some(DeploymentId::new(id)), input)?;
        }
        _ => drop(apis.create_stage(&api, input(wanted, properties)?)?),
    }
    Ok(())
}

pub(super) fn update(
    account: &Account,
    id: &str,
    wanted: &Wanted<'_>,
    existing: &Existing,
) -> Result<(), Fault> {
    let patch = patch(wanted, existing);
    let (apis, api) = (&account.apis, ApiId::new(wanted.text("ApiId")));
    let route = RouteId::new(wanted.text("RouteId"));
    let integration = IntegrationId::new(wanted.text("IntegrationId"));
    match short(&wanted.resource.kind) {
        "Api" => {
            let document = wanted.properties.get("Body");
            if let Some(document) =
                document.filter(|new| existing.properties.get("Body") != Some(new))
            {
                apis.update_api(&ApiId::new(id), ApiInput::from_document(document))?;
            }
            apis.update_api(&ApiId::new(id), read(patch)?)?;
        }
        "Route" => drop(apis.update_route(&api, &RouteId::new(id), read(patch)?)?),
        "Integration" => {
            apis.update_integration(&api, &IntegrationId::new(id), read(patch)?)?;
        }
        "IntegrationResponse" => {
            let id = IntegrationResponseId::new(id);
            apis.update_integration_response(&api, &integration, &id, read(patch)?)?;
        }
        "RouteResponse" => {
            let id = RouteResponseId::new(id);
            apis.update_route_response(&api, &route, &id, read(patch)?)?;
        }
        "Authorizer" => {
            apis.update_authorizer(&api, &AuthorizerId::new(id), read(patch)?)?;
        }
        "Model" => drop(apis.update_model(&api, &ModelId::new(id), read(patch)?)?),
        "Deployment" => {
            apis.update_deployment(&api, &DeploymentId::new(id), read(patch)?)?;
        }
        _ => drop(apis.update_stage(&api, id, read(patch)?)?),
    }
    Ok(())
}

pub(super) fn delete(account: &Account, existing: &Existing) -> Result<(), Fault> {
    let (apis, id) = (&account.apis, existing.physical.as_str());
    let api = ApiId::new(existing.text("ApiId"));
    let route = RouteId::new(existing.text("RouteId"));
    let integration = IntegrationId::new(existing.text("IntegrationId"));
    match short(&existing.kind) {
        "Api" => gone(apis.delete_api(&ApiId::new(id))),
        "Route" => gone(apis.delete_route(&api, &RouteId::new(id))),
        "Integration" => gone(apis.delete_integration(&api, &IntegrationId::new(id))),
        "IntegrationResponse" => {
            let id = IntegrationResponseId::new(id);
            gone(apis.delete_integration_response(&api, &integration, &id))
        }
        "RouteResponse" => {
            let id = RouteResponseId::new(id);
            gone(apis.delete_route_response(&api, &route, &id))
        }
        "Authorizer" => gone(apis.delete_authorizer(&api, &AuthorizerId::new(id))),
        "Model" => gone(apis.delete_model(&api, &ModelId::new(id))),
        "Deployment" => gone(apis.delete_deployment(&api, &DeploymentId::new(id))),
        _ => gone(apis.delete_stage(&api, id)),
    }
}

/// True when the account has something of that type and id that this stack does not hold.
pub(super) fn taken(account: &Account, kind: &str, api: &str, id: &str) -> bool {
    let (apis, api) = (&account.apis, ApiId::new(api));
    match short(kind) {
        "Api" => apis.get_api(&ApiId::new(id)).is_ok(),
        "Route" => apis.get_route(&api, &RouteId::new(id)).is_ok(),
        "Integration" => (apis.get_integration(&api, &IntegrationId::new(id))).is_ok(),
        "Authorizer" => (apis.get_authorizer(&api, &AuthorizerId::new(id))).is_ok(),
        "Model" => apis.get_model(&api, &ModelId::new(id)).is_ok(),
        "Deployment" => (apis.get_deployment(&api, &DeploymentId::new(id))).is_ok(),
        _ => false,
    }
}

/// What an update names: the properties that changed, and what takes those away that are gone.
fn patch(wanted: &Wanted<'_>, existing: &Existing) -> Map<String, Json> {
    let kind = wanted.resource.kind.as_str();
    let mut patch = Map::new();
    for (name, shape) in shapes::of(kind).unwrap_or_default() {
        let (before, after) = (existing.properties.get(*name), wanted.properties.get(*name));
        let value = match (before, after) {
            (before, Some(after)) if before != Some(after) => shapes::shaped(after.clone(), *shape),
            (Some(before), None) if !shapes::lingers(kind, name) => shapes::absent(before, *shape),
            _ => continue,
        };
        patch.insert(shapes::api_name(name), value);
    }
    patch
}

/// All properties of a resource as the API takes them.
fn input<T: DeserializeOwned>(
    wanted: &Wanted<'_>,
    properties: &Map<String, Json>,
) -> Result<T, Fault> {
    let shapes = shapes::of(&wanted.resource.kind).unwrap_or_default();
    let shaped = shapes::shaped(
        Json::Object(properties.clone()),
        shapes::Shape::Object(shapes),
    );
    match shaped {
        Json::Object(input) => read(input),
        _ => read(Map::new()),
    }
}

fn read<T: DeserializeOwned>(input: Map<String, Json>) -> Result<T, Fault> {
    serde_json::from_value(Json::Object(input))
        .map_err(|error| Fault::new(format!("a property is of the wrong kind: {error}")))
}

/// The type without the service.
fn short(kind: &str) -> &str {
    kind.strip_prefix("AWS::ApiGatewayV2::").unwrap_or(kind)
}
