//! A template that says what the account holds: ids become references, functions and aliases resources.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;
use stackgen_cfn::{Map, Node, join, map, r#ref, sub};

use super::json::node;
use super::{AccountRegion, ApiDescription, Invoked, Part, PartKind};
use crate::FunctionName;

const API: &str = "Api";

/// The template. Logical ids are made up; nothing that is read from it depends on them.
pub(super) fn template(description: &ApiDescription, place: &AccountRegion) -> Node {
    let mut document = Document {
        place,
        ids: HashMap::new(),
        names: names(&description.parts),
        functions: BTreeMap::new(),
        aliases: BTreeMap::new(),
    };
    for (index, part) in description.parts.iter().enumerate() {
        let id = format!("{}{index}", part.kind.name());
        document.ids.insert((part.kind, &part.id), id);
    }
    let api = description
        .api
        .iter()
        .map(|(key, value)| (key.clone(), node(value)));
    let mut resources = vec![(
        API.to_owned(),
        resource("AWS::ApiGatewayV2::Api", api.collect()),
    )];
    for part in &description.parts {
        let properties = document.properties(part);
        let kind = format!("AWS::ApiGatewayV2::{}", part.kind.name());
        let id = document.ids[&(part.kind, part.id.as_str())].clone();
        resources.push((id, resource(&kind, properties)));
    }
    resources.extend(document.called());
    map([(
        "Resources",
        Node::from(resources.into_iter().collect::<Map>()),
    )])
}

struct Document<'a> {
    place: &'a AccountRegion,
    /// Logical ids of parts.
    ids: HashMap<(PartKind, &'a str), String>,
    /// Names of authorizers that share theirs with others.
    names: HashMap<&'a str, String>,
    /// Logical ids of the functions that are called.
    functions: BTreeMap<FunctionName, String>,
    /// Logical ids of aliases by function and name.
    aliases: BTreeMap<(FunctionName, String), String>,
}

impl<'a> Document<'a> {
    fn properties(&mut self, part: &'a Part) -> Map {
        let mut properties: Map = std::iter::once(("ApiId".to_owned(), r#ref(API))).collect();
        for (key, value) in &part.properties {
            let value = match value {
                Json::String(text) => self.text(key, text),
                other => node(other),
            };
            properties.insert(key.clone(), value);
        }
        if let Some(name) = self.names.get(part.id.as_str()) {
            properties.insert("Name", name.as_str());
        }
        let (key, of) = match part.kind {
            PartKind::RouteResponse => ("RouteId", PartKind::Route),
            PartKind::IntegrationResponse => ("IntegrationId", PartKind::Integration),
            _ => return properties,
        };
        let parent = part.parent.as_deref().unwrap_or_default();
        properties.insert(key, self.reference(of, parent));
        properties
    }

    fn text(&mut self, property: &str, text: &'a str) -> Node {
        match property {
            "AuthorizerId" => self.reference(PartKind::Authorizer, text),
            "Target" => match text.strip_prefix("integrations/") {
                Some(id) => {
                    let integration = self.reference(PartKind::Integration, id);
                    join("/", [Node::from("integrations"), integration])
                }
                None => Node::from(text),
            },
            "IntegrationUri" | "AuthorizerUri" => match Invoked::parse(text) {
                Some(invoked) if invoked.is_at(self.place) => self.invocation(invoked),
                _ => self.arn(text),
            },
            "CredentialsArn" | "AuthorizerCredentialsArn" => self.arn(text),
            _ => Node::from(text),
        }
    }

    /// A part of this API, or what names one that is gone.
    fn reference(&self, kind: PartKind, id: &'a str) -> Node {
        match self.ids.get(&(kind, id)) {
            Some(logical) => r#ref(logical),
            None => Node::from(id),
        }
    }

    fn invocation(&mut self, invoked: Invoked) -> Node {
        let next = format!("Function{}", self.functions.len());
        let function = self
            .functions
            .entry(invoked.function.clone())
            .or_insert(next)
            .clone();
        let version = invoked.version();
        let qualifier = match &invoked.qualifier {
            None => String::new(),
            Some(qualifier) => {
                if version.is_none() {
                    let next = format!("Alias{}", self.aliases.len());
                    let key = (invoked.function, qualifier.clone());
                    self.aliases.entry(key).or_insert(next);
                }
                format!(":{qualifier}")
            }
        };
        sub(format!(
            "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/\
             ${{{function}.Arn}}{qualifier}/invocations"
        ))
    }

    /// An ARN with this account and region as pseudo parameters, which is how templates name them.
    fn arn(&self, text: &str) -> Node {
        let AccountRegion {
            partition,
            region,
            account,
        } = self.place;
        let text = text.replace("${", "${!");
        let text = text.replace(&format!("arn:{partition}:"), "arn:${AWS::Partition}:");
        let text = text.replace(&format!(":{region}:"), ":${AWS::Region}:");
        sub(text.replace(&format!(":{account}:"), ":${AWS::AccountId}:"))
    }

    /// The functions and aliases that are called.
    fn called(self) -> Vec<(String, Node)> {
        let mut resources = Vec::new();
        for ((function, name), id) in self.aliases {
            let of = r#ref(self.functions[&function].as_str());
            let properties = [("FunctionName", of), ("Name", Node::from(name))];
            resources.push((id, resource("AWS::Lambda::Alias", entries(properties))));
        }
        for (name, id) in self.functions {
            let properties = [("FunctionName", Node::from(name.as_str()))];
            resources.push((id, resource("AWS::Lambda::Function", entries(properties))));
        }
        resources
    }
}

/// Routes know authorizers by name. Those that share a name are told apart by all else that they say.
fn names(parts: &[Part]) -> HashMap<&str, String> {
    let authorizers = || {
        parts
            .iter()
            .filter(|part| part.kind == PartKind::Authorizer)
    };
    let mut names = HashMap::new();
    for part in authorizers() {
        let name = part.text("Name").unwrap_or_default();
        if authorizers()
            .filter(|other| other.text("Name") == Some(name))
            .count()
            > 1
        {
            let mut content = Json::Object(part.properties.clone());
            content.sort_all_objects();
            names.insert(part.id.as_str(), format!("{name} {content}"));
        }
    }
    names
}

fn entries<const N: usize>(properties: [(&str, Node); N]) -> Map {
    properties
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

fn resource(kind: &str, properties: Map) -> Node {
    map([
        ("Type", Node::from(kind)),
        ("Properties", Node::from(properties)),
    ])
}
