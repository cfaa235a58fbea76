//! Parts of an API: its wiring, and its deployments, stages and mappings.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

use super::{Canon, ModelPart, Names, PartKind};
use crate::api::{Api, Authorizer, Integration, Route};
use crate::function::Permission;
use crate::resource::Resource;
use crate::{Link, LogicalId, Text};

/// Returns all parts of an API.
pub(crate) fn api_parts(api: &Api, names: &Names) -> Vec<ModelPart> {
    let canon = Canon::new(names, api.id.to());
    let key = match &api.id {
        Link::To(id) => id.to_string(),
        Link::External(text) => text.to_string(),
        Link::Unknown(unknown) => unknown.expression.to_string(),
        Link::Missing => String::new(),
    };
    let mut parts = wiring_parts(api, &canon);
    parts.extend(stage_parts(api, &canon));
    for part in &mut parts {
        part.api = Some(key.clone());
    }
    parts
}

fn part(
    kind: PartKind,
    name: String,
    resource: &Resource,
    content: Map<String, Json>,
) -> ModelPart {
    ModelPart {
        kind,
        api: None,
        name,
        id: Some(resource.logical_id.clone()),
        content,
    }
}

/// Creates a part with the name of its resource.
fn named(
    kind: PartKind,
    resource: &Resource,
    content: Map<String, Json>,
    canon: &Canon,
) -> ModelPart {
    let name = canon.names.name(&resource.logical_id);
    part(kind, name, resource, content)
}

/// Returns the wiring of an API.
fn wiring_parts(api: &Api, canon: &Canon) -> Vec<ModelPart> {
    let mut parts = Vec::new();
    if let Some(resource) = &api.resource {
        let mut content = canon.properties(resource, &[]);
        without_implied(&mut content);
        parts.push(named(PartKind::Api, resource, content, canon));
    }
    let integrations = api.integrations.iter();
    let integrations = integrations.map(|one| (&one.resource.logical_id, one));
    let integrations: HashMap<_, _> = integrations.collect();
    for route in &api.routes {
        let content = route_content(route, &integrations, canon);
        parts.push(part(
            PartKind::Route,
            route.key.to_string(),
            &route.resource,
            content,
        ));
    }
    for authorizer in &api.authorizers {
        let content = authorizer_content(authorizer, canon);
        parts.push(named(
            PartKind::Authorizer,
            &authorizer.resource,
            content,
            canon,
        ));
    }
    let used: HashSet<_> = api
        .routes
        .iter()
        .filter_map(|route| route.target.to())
        .collect();
    let unused = |integration: &&Integration| !used.contains(&integration.resource.logical_id);
    for integration in api.integrations.iter().filter(unused) {
        let content = integration_content(integration, canon);
        let name = integration_name(integration, canon);
        parts.push(part(
            PartKind::Integration,
            name,
            &integration.resource,
            content,
        ));
    }
    for model in &api.models {
        let content = canon.properties(&model.resource, &["ApiId"]);
        parts.push(named(PartKind::Model, &model.resource, content, canon));
    }
    parts
}

/// Returns what no deployment snapshots: deployments, stages and mappings.
fn stage_parts(api: &Api, canon: &Canon) -> Vec<ModelPart> {
    let mut parts = Vec::new();
    for deployment in &api.deployments {
        let content = canon.properties(&deployment.resource, &["ApiId"]);
        parts.push(named(
            PartKind::Deployment,
            &deployment.resource,
            content,
            canon,
        ));
    }
    for stage in &api.stages {
        let content = canon.properties(&stage.resource, &["ApiId"]);
        parts.push(named(PartKind::Stage, &stage.resource, content, canon));
    }
    for mapping in &api.mappings {
        let content = canon.properties(&mapping.resource, &["ApiId"]);
        let domain = content
            .get("DomainName")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let path = mapping
            .key
            .as_ref()
            .map(|key| canon.text(key))
            .unwrap_or_default();
        let name = format!("{domain}/{path}");
        parts.push(part(PartKind::Mapping, name, &mapping.resource, content));
    }
    parts
}

/// Removes from an OpenAPI body the implied parts, which stand on their own. The rest is a property of the API.
fn without_implied(content: &mut Map<String, Json>) {
    if let Some(Json::Object(body)) = content.get_mut("Body") {
        body.remove("paths");
        if let Some(Json::Object(components)) = body.get_mut("components") {
            components.remove("securitySchemes");
        }
    }
}

fn route_content(
    route: &Route,
    integrations: &HashMap<&LogicalId, &Integration>,
    canon: &Canon,
) -> Map<String, Json> {
    let mut content = canon.properties(&route.resource, &["ApiId", "RouteKey"]);
    let authorizer = route
        .authorizer
        .to()
        .map(|id| Json::from(canon.names.label(id)));
    if let Some(authorizer) = authorizer {
        content.insert("AuthorizerId".to_owned(), authorizer);
    }
    let target = route.target.to();
    if let Some(integration) = target.and_then(|id| integrations.get(id)) {
        content.insert(
            "Target".to_owned(),
            Json::Object(integration_content(integration, canon)),
        );
    }
    let responses = route
        .responses
        .iter()
        .map(|response| (response.key.to_string(), &*response.resource));
    add_responses(
        &mut content,
        responses,
        &["ApiId", "RouteId", "RouteResponseKey"],
        canon,
    );
    content
}

fn integration_content(integration: &Integration, canon: &Canon) -> Map<String, Json> {
    let mut content = canon.properties(&integration.resource, &["ApiId"]);
    canon.function_property(&mut content, "IntegrationUri", &integration.function);
    let responses = integration
        .responses
        .iter()
        .map(|response| (canon.text(&response.key), &*response.resource));
    add_responses(
        &mut content,
        responses,
        &["ApiId", "IntegrationId", "IntegrationResponseKey"],
        canon,
    );
    content
}

fn authorizer_content(authorizer: &Authorizer, canon: &Canon) -> Map<String, Json> {
    let mut content = canon.properties(&authorizer.resource, &["ApiId"]);
    canon.function_property(&mut content, "AuthorizerUri", &authorizer.function);
    content
}

fn add_responses<'r>(
    content: &mut Map<String, Json>,
    responses: impl Iterator<Item = (String, &'r Resource)>,
    without: &[&str],
    canon: &Canon,
) {
    let mut rendered: Vec<(String, Json)> = responses
        .map(|(key, resource)| (key, Json::Object(canon.properties(resource, without))))
        .collect();
    if !rendered.is_empty() {
        rendered.sort_by_cached_key(|(key, json)| (key.clone(), json.to_string()));
        content.insert("Responses".to_owned(), Json::Object(numbered(rendered)));
    }
}

/// Collects entries into a map. An entry whose key is taken gets a number.
pub(crate) fn numbered(entries: Vec<(String, Json)>) -> Map<String, Json> {
    let mut map = Map::new();
    let mut next: HashMap<String, usize> = HashMap::new();
    for (key, value) in entries {
        let mut free = key.clone();
        while map.contains_key(&free) {
            let number = next.entry(key.clone()).or_insert(1);
            *number += 1;
            free = format!("{key} #{number}");
        }
        map.insert(free, value);
    }
    map
}

fn integration_name(integration: &Integration, canon: &Canon) -> String {
    let kind = integration
        .integration_type
        .as_ref()
        .map(|text| canon.text(text))
        .unwrap_or_default();
    match integration.function.function.to() {
        Some(function) => format!("{kind} to {}", canon.names.name(function)),
        None => format!(
            "{kind} to {}",
            integration
                .uri
                .as_ref()
                .map(|uri| canon.text(uri))
                .unwrap_or_default()
        ),
    }
}

/// Returns the name of a permission: `session-audio by apigateway.amazonaws.com from arn:…`.
pub(super) fn permission_name(permission: &Permission, canon: &Canon) -> String {
    let text = |text: &Option<Text>| {
        text.as_ref()
            .map(|text| canon.text(text))
            .unwrap_or_default()
    };
    let function = match permission.function.function.to() {
        Some(id) => canon.names.name(id),
        None => permission
            .resource
            .properties
            .text("FunctionName")
            .map(|name| canon.text(&name))
            .unwrap_or_default(),
    };
    let from = match &permission.source_arn {
        Some(arn) => format!(" from {}", canon.text(arn)),
        None => String::new(),
    };
    format!("{function} by {}{from}", text(&permission.principal))
}
