//! Parts of a model: things with a name and comparable content.
//!
//! Snapshot, diff and content are three views of the parts: the snapshot consists of the wiring of one API, a diff
//! compares the parts of two models, and the content is all parts by name.

mod canon;
pub(crate) mod defaults;
mod effect;
pub(crate) mod hidden;
mod names;
mod normalize;
mod role;
mod wiring;

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

pub(crate) use canon::{Canon, UNKNOWN_START};
pub use effect::ChangeEffect;
pub(crate) use effect::{effect, in_snapshot, keeps_name, lingers, replaces};
pub(crate) use names::{Names, Naming, name_property};
pub(crate) use normalize::apply_service_defaults;
pub(crate) use wiring::{api_parts, numbered};

use crate::resource::Resource;
use crate::{LogicalId, Model};

/// Kind of a part.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum PartKind {
    Api,
    Route,
    Integration,
    Authorizer,
    Model,
    Deployment,
    Stage,
    Mapping,
    Function,
    Version,
    Alias,
    Permission,
    Role,
    Table,
    LogGroup,
    Parameter,
    Output,
    /// Any other resource, by its type.
    Other(String),
    /// The attributes of a resource besides its properties, such as `DeletionPolicy`.
    Attributes,
}

/// A part of a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ModelPart {
    pub(crate) kind: PartKind,
    /// The API that it belongs to, by logical ID or, outside of the template, by the text that names it.
    pub(crate) api: Option<String>,
    /// The name.
    pub(crate) name: String,
    /// The resource.
    pub(crate) id: Option<LogicalId>,
    /// The properties in canonical form.
    pub(crate) content: Map<String, Json>,
}

/// Returns all parts of a model.
pub(crate) fn parts(model: &Model, names: &Names) -> Vec<ModelPart> {
    let mut parts: Vec<ModelPart> = model
        .apis
        .iter()
        .flat_map(|api| api_parts(api, names))
        .collect();
    let canon = Canon::new(names, None);
    let responses = responses(model);
    for resource in model.resources.values() {
        if !responses.contains(&resource.logical_id) {
            parts.extend(own_part(model, resource, &canon));
        }
        parts.extend(attributes(resource, &canon));
    }
    let sections = [
        (PartKind::Parameter, &model.parameters),
        (PartKind::Output, &model.outputs),
    ];
    for (kind, section) in sections {
        for (name, value) in section.as_map().into_iter().flatten() {
            let mut content = Map::from_iter([("Value".to_owned(), canon.value(value))]);
            if kind == PartKind::Parameter && canon.names.marks_hidden {
                hide_default(&mut content);
            }
            parts.push(ModelPart {
                kind: kind.clone(),
                api: None,
                name: name.clone(),
                id: None,
                content,
            });
        }
    }
    parts
}

/// Marks the default of a `NoEcho` parameter.
fn hide_default(content: &mut Map<String, Json>) {
    let Some(parameter) = content.get_mut("Value") else {
        return;
    };
    let shown = matches!(
        parameter.get("NoEcho").map(Json::as_str),
        None | Some(Some("false"))
    );
    if !shown && let Some(default) = parameter.get_mut("Default") {
        let text = match default.take() {
            Json::String(text) => text,
            other => other.to_string(),
        };
        *default = Json::from(hidden::marked(text, true));
    }
}

/// Returns the responses, which are part of the content of their route or integration.
fn responses(model: &Model) -> HashSet<&LogicalId> {
    let mut ids = HashSet::new();
    for api in &model.apis {
        let of_routes = api
            .routes
            .iter()
            .flat_map(|route| &route.responses)
            .map(|response| &response.resource);
        let integrations = api
            .integrations
            .iter()
            .flat_map(|integration| &integration.responses);
        let all = of_routes.chain(integrations.map(|response| &response.resource));
        ids.extend(all.map(|resource| &resource.logical_id));
    }
    ids
}

/// Returns the part of a resource that belongs to no API.
fn own_part(model: &Model, resource: &Resource, canon: &Canon) -> Option<ModelPart> {
    let kind = kind_of(&resource.kind)?;
    let mut content = canon.properties(resource, &[]);
    let id = &resource.logical_id;
    let mut name = canon.names.name(id);
    match kind {
        PartKind::Permission => {
            let permission = model.find(&model.permissions, id, |one| &one.resource)?;
            canon.function_property(&mut content, "FunctionName", &permission.function);
            name = wiring::permission_name(permission, canon);
        }
        PartKind::Version => {
            let version = model.find(&model.versions, id, |one| &one.resource)?;
            canon.function_property(&mut content, "FunctionName", &version.function);
            if let Some(function) = version.function.function.to() {
                name = format!("of {}", canon.names.name(function));
            }
        }
        PartKind::Alias => {
            let alias = model.find(&model.aliases, id, |one| &one.resource)?;
            canon.function_property(&mut content, "FunctionName", &alias.function);
        }
        PartKind::Other(ref kind) if kind == "AWS::CloudWatch::Dashboard" => {
            parse_json(&mut content, "DashboardBody");
        }
        PartKind::Role => role::normalize(model, resource, canon, &mut content),
        _ => {}
    }
    Some(ModelPart {
        kind,
        api: None,
        name,
        id: Some(id.clone()),
        content,
    })
}

/// Parses a property that contains JSON as text, so that white space has no meaning and a diff names the path.
fn parse_json(content: &mut Map<String, Json>, property: &str) {
    let text = content.get(property).and_then(Json::as_str);
    if let Some(parsed @ Json::Object(_)) = text.and_then(|text| serde_json::from_str(text).ok()) {
        content.insert(property.to_owned(), parsed);
    }
}

/// Returns the kind of a resource type. It is `None` for parts of an API, which are created with it.
fn kind_of(resource_type: &str) -> Option<PartKind> {
    Some(match resource_type {
        "AWS::ApiGatewayV2::Api"
        | "AWS::ApiGatewayV2::ApiMapping"
        | "AWS::ApiGatewayV2::Authorizer"
        | "AWS::ApiGatewayV2::Deployment"
        | "AWS::ApiGatewayV2::Integration"
        | "AWS::ApiGatewayV2::Model"
        | "AWS::ApiGatewayV2::Route"
        | "AWS::ApiGatewayV2::Stage" => return None,
        "AWS::Lambda::Function" => PartKind::Function,
        "AWS::Lambda::Version" => PartKind::Version,
        "AWS::Lambda::Alias" => PartKind::Alias,
        "AWS::Lambda::Permission" => PartKind::Permission,
        "AWS::IAM::Role" => PartKind::Role,
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => PartKind::Table,
        "AWS::Logs::LogGroup" => PartKind::LogGroup,
        other => PartKind::Other(other.to_owned()),
    })
}

/// Removes the metadata that CDK adds, such as `aws:cdk:path`, which does not affect the deployment. Returns `None` if
/// there is no other metadata.
fn without_cdk_metadata(mut metadata: Map<String, Json>) -> Option<Json> {
    let count = metadata.len();
    metadata.retain(|key, _| !key.starts_with("aws:cdk:"));
    let is_only_cdk = metadata.is_empty() && count > 0;
    (!is_only_cdk).then_some(Json::Object(metadata))
}

fn attributes(resource: &Resource, canon: &Canon) -> Option<ModelPart> {
    let mut content = Map::new();
    for (key, value) in &resource.attributes {
        let value = match canon.value(value) {
            Json::Object(metadata) if key == "Metadata" => without_cdk_metadata(metadata),
            value => Some(value),
        };
        content.extend(value.map(|value| (key.clone(), value)));
    }
    if !resource.depends_on.is_empty() {
        let mut names: Vec<&str> = resource.depends_on.iter().map(LogicalId::as_str).collect();
        names.sort_unstable();
        content.insert("DependsOn".to_owned(), names.into_iter().collect());
    }
    if content.is_empty() {
        return None;
    }
    let id = resource.logical_id.clone();
    Some(ModelPart {
        kind: PartKind::Attributes,
        api: None,
        name: id.to_string(),
        id: Some(id),
        content,
    })
}
