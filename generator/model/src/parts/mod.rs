//! A model taken apart into things with a name and comparable content.
//!
//! Snapshot, diff and meaning are three views of these parts: the snapshot is the wiring parts of one api, a diff
//! compares the parts of two models, and the meaning is all parts by name.

mod canon;
pub(crate) mod defaults;
mod effect;
pub(crate) mod hidden;
mod kept;
mod names;
mod role;
mod wiring;

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

pub(crate) use canon::Canon;
pub use effect::Effect;
pub(crate) use effect::{effect, in_snapshot, keeps_name, lingers, replaces};
pub(crate) use kept::as_kept;
pub(crate) use names::{Names, Naming, name_property};
pub(crate) use wiring::{api_parts, numbered};

use crate::resource::Resource;
use crate::{LogicalId, Model};

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
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
    /// What a resource has beside its properties: `DeletionPolicy` and its like.
    Attributes,
}

/// A thing with a name and content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// The api that it belongs to, by logical id or, outside of the template, by what names it.
    pub(crate) api: Option<String>,
    /// What people call it.
    pub(crate) name: String,
    /// Its resource.
    pub(crate) id: Option<LogicalId>,
    /// Its properties in canonical form.
    pub(crate) content: Map<String, Json>,
}

/// Every part of a model.
pub(crate) fn parts(model: &Model, names: &Names) -> Vec<Part> {
    let mut parts: Vec<Part> = model
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
        (Kind::Parameter, &model.parameters),
        (Kind::Output, &model.outputs),
    ];
    for (kind, section) in sections {
        for (name, value) in section.as_map().into_iter().flatten() {
            let mut content = Map::from_iter([("Value".to_owned(), canon.value(value))]);
            if kind == Kind::Parameter && canon.names.marks_hidden {
                hide_default(&mut content);
            }
            parts.push(Part {
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

/// Marks the default of a parameter that CloudFormation does not echo.
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

/// Responses that stand in the content of their route or integration.
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

/// The part of a resource that belongs to no api.
fn own_part(model: &Model, resource: &Resource, canon: &Canon) -> Option<Part> {
    let kind = kind_of(&resource.kind)?;
    let mut content = canon.properties(resource, &[]);
    let id = &resource.logical_id;
    let mut name = canon.names.name(id);
    match kind {
        Kind::Permission => {
            let permission = model.find(&model.permissions, id, |one| &one.resource)?;
            canon.function_property(&mut content, "FunctionName", &permission.function);
            name = wiring::permission_name(permission, canon);
        }
        Kind::Version => {
            let version = model.find(&model.versions, id, |one| &one.resource)?;
            canon.function_property(&mut content, "FunctionName", &version.function);
            if let Some(function) = version.function.function.to() {
                name = format!("of {}", canon.names.name(function));
            }
        }
        Kind::Alias => {
            let alias = model.find(&model.aliases, id, |one| &one.resource)?;
            canon.function_property(&mut content, "FunctionName", &alias.function);
        }
        Kind::Other(ref kind) if kind == "AWS::CloudWatch::Dashboard" => {
            parse_json(&mut content, "DashboardBody");
        }
        Kind::Role => role::normalise(model, resource, canon, &mut content),
        _ => {}
    }
    Some(Part {
        kind,
        api: None,
        name,
        id: Some(id.clone()),
        content,
    })
}

/// JSON in a text as what it says, so that its spaces mean nothing and a diff names the place.
fn parse_json(content: &mut Map<String, Json>, property: &str) {
    let text = content.get(property).and_then(Json::as_str);
    if let Some(parsed @ Json::Object(_)) = text.and_then(|text| serde_json::from_str(text).ok()) {
        content.insert(property.to_owned(), parsed);
    }
}

/// `None` for the types that belong to an api, whose parts are made with it.
fn kind_of(resource_type: &str) -> Option<Kind> {
    Some(match resource_type {
        "AWS::ApiGatewayV2::Api"
        | "AWS::ApiGatewayV2::ApiMapping"
        | "AWS::ApiGatewayV2::Authorizer"
        | "AWS::ApiGatewayV2::Deployment"
        | "AWS::ApiGatewayV2::Integration"
        | "AWS::ApiGatewayV2::Model"
        | "AWS::ApiGatewayV2::Route"
        | "AWS::ApiGatewayV2::Stage" => return None,
        "AWS::Lambda::Function" => Kind::Function,
        "AWS::Lambda::Version" => Kind::Version,
        "AWS::Lambda::Alias" => Kind::Alias,
        "AWS::Lambda::Permission" => Kind::Permission,
        "AWS::IAM::Role" => Kind::Role,
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => Kind::Table,
        "AWS::Logs::LogGroup" => Kind::LogGroup,
        other => Kind::Other(other.to_owned()),
    })
}

fn attributes(resource: &Resource, canon: &Canon) -> Option<Part> {
    let mut content = Map::new();
    for (key, value) in &resource.attributes {
        content.insert(key.clone(), canon.value(value));
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
    Some(Part {
        kind: Kind::Attributes,
        api: None,
        name: id.to_string(),
        id: Some(id),
        content,
    })
}
