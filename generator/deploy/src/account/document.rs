//! A description as a template: IDs become references, functions and aliases become resources.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;
use stackgen_cfn::{Map, Node, join, map, r#ref, sub};

use super::json::node;
use super::{AccountRegion, ApiDescription, ApiPart, ApiPartKind, InvocationUri};
use crate::FunctionName;

const API: &str = "Api";

/// Returns the template. Its logical IDs are invented, and the digest does not depend on them.
pub(super) fn template(description: &ApiDescription, region: &AccountRegion) -> Node {
    let mut document = Document {
        region,
        ids: HashMap::new(),
        names: names(&description.parts),
        functions: BTreeMap::new(),
        aliases: BTreeMap::new(),
    };
    for (index, part) in description.parts.iter().enumerate() {
        let id = ApiDescription::logical_id(part, index);
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
    resources.extend(document.invoked());
    map([(
        "Resources",
        Node::from(resources.into_iter().collect::<Map>()),
    )])
}

struct Document<'a> {
    region: &'a AccountRegion,
    /// Logical IDs of parts.
    ids: HashMap<(ApiPartKind, &'a str), String>,
    /// Names of authorizers that share a name with others.
    names: HashMap<&'a str, String>,
    /// Logical IDs of the invoked functions.
    functions: BTreeMap<FunctionName, String>,
    /// Logical IDs of aliases by function and name.
    aliases: BTreeMap<(FunctionName, String), String>,
}

impl<'a> Document<'a> {
    fn properties(&mut self, part: &'a ApiPart) -> Map {
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
            ApiPartKind::RouteResponse => ("RouteId", ApiPartKind::Route),
            ApiPartKind::IntegrationResponse => ("IntegrationId", ApiPartKind::Integration),
            _ => return properties,
        };
        let parent = part.parent.as_deref().unwrap_or_default();
        properties.insert(key, self.reference(of, parent));
        properties
    }

    fn text(&mut self, property: &str, text: &'a str) -> Node {
        match property {
            "AuthorizerId" => self.reference(ApiPartKind::Authorizer, text),
            "Target" => match text.strip_prefix("integrations/") {
                Some(id) => {
                    let integration = self.reference(ApiPartKind::Integration, id);
                    join("/", [Node::from("integrations"), integration])
                }
                None => Node::from(text),
            },
            "IntegrationUri" | "AuthorizerUri" => match InvocationUri::parse(text) {
                Some(invoked) if invoked.is_in(self.region) => self.invocation(invoked),
                _ => self.arn(text),
            },
            "CredentialsArn" | "AuthorizerCredentialsArn" => self.arn(text),
            _ => Node::from(text),
        }
    }

    /// Returns a reference to a part of this API, or the ID of one that is gone.
    fn reference(&self, kind: ApiPartKind, id: &'a str) -> Node {
        match self.ids.get(&(kind, id)) {
            Some(logical) => r#ref(logical),
            None => Node::from(id),
        }
    }

    fn invocation(&mut self, invoked: InvocationUri) -> Node {
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

    /// Returns an ARN with pseudo parameters for this account and region, as templates write them.
    fn arn(&self, text: &str) -> Node {
        let AccountRegion {
            partition,
            region,
            account,
        } = self.region;
        let text = text.replace("${", "${!");
        let text = text.replace(&format!("arn:{partition}:"), "arn:${AWS::Partition}:");
        let text = text.replace(&format!(":{region}:"), ":${AWS::Region}:");
        sub(text.replace(&format!(":{account}:"), ":${AWS::AccountId}:"))
    }

    /// Returns the resources of the invoked functions and aliases.
    fn invoked(self) -> Vec<(String, Node)> {
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

/// Returns distinct names for authorizers that share a name. A snapshot names a route's authorizer by its name, so their
/// other properties become part of it.
fn names(parts: &[ApiPart]) -> HashMap<&str, String> {
    let authorizers = || {
        parts
            .iter()
            .filter(|part| part.kind == ApiPartKind::Authorizer)
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
