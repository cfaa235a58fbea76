//! Gaps: parts of a template that the model does not contain.

use stackgen_cfn::{Map, Node};

use crate::resource::{Resource, Resources};
use crate::{Problem, Resolved};

/// Macros that add no resources, or whose resources the model reads.
const READ: [&str; 5] = [
    "AWS::Serverless-2016-10-31",
    "AWS::LanguageExtensions",
    "AWS::CodeDeployBlueGreen",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
];

/// Returns the gaps: results of macros, loops of the language extensions, modules and connectors, and routes of HTTP
/// APIs that are neither a resource nor in a readable body.
pub(super) fn gaps(template: &Node, resources: &Resources) -> Vec<Problem> {
    let section = template.get("Resources").and_then(Node::as_map);
    let entries = section.into_iter().flat_map(Map::entries);
    let made = entries.filter(|(key, _)| key.starts_with("Fn::"));
    let made = made.map(|(key, entry)| {
        Problem::new(
            format!("the result of {key} is not in the model"),
            entry.key_span,
        )
    });
    let apis = resources
        .values()
        .filter(|resource| resource.kind == "AWS::ApiGatewayV2::Api");
    let apis = apis.flat_map(|api| of_api(api));
    let several = resources.values().filter_map(|resource| several(resource));
    let made = macros(template).chain(made).chain(several);
    made.chain(apis).collect()
}

/// Returns the gap of a resource that stands for several: a module of the account's registry, or one with SAM
/// connectors.
fn several(resource: &Resource) -> Option<Problem> {
    let (id, kind) = (&resource.logical_id, &resource.kind);
    let message = if kind.ends_with("::MODULE") {
        format!("the resources of {id} ({kind}) are not in the model")
    } else if resource.attributes.contains_key("Connectors") {
        format!("the connectors of {id} are not in the model")
    } else {
        return None;
    };
    Some(Problem::new(message, resource.span))
}

/// Returns the gaps of the template's own transforms, which may add anything anywhere.
fn macros(template: &Node) -> impl Iterator<Item = Problem> {
    let transforms = template.get("Transform").map(|node| match node.as_list() {
        Some(items) => items,
        None => std::slice::from_ref(node),
    });
    let name = |node: &Node| {
        let name = node.as_str().or_else(|| node.get("Name")?.as_str());
        let name = name.unwrap_or("a macro").to_owned();
        (!READ.contains(&name.as_str())).then_some((name, node.span))
    };
    let unread = transforms.unwrap_or_default().iter().filter_map(name);
    unread.map(|(name, span)| {
        Problem::new(
            format!("the result of the macro {name} is not in the model"),
            span,
        )
    })
}

fn of_api(api: &Resource) -> Vec<Problem> {
    let id = &api.logical_id;
    let mut gaps = Vec::new();
    let mut gap = |property: &str, message: String| {
        gaps.push(Problem::new(message, api.location(&[property])));
    };
    if api.properties.get("Target").is_some() {
        let message = format!("the route and stage of the Target of {id} are not in the model");
        gap("Target", message);
    }
    if api.properties.get("BodyS3Location").is_some() {
        gap(
            "BodyS3Location",
            format!("the OpenAPI file of {id} is not in the model"),
        );
    }
    let body = api.properties.get("Body");
    let paths = body.and_then(|body| body.get("paths"));
    let methods = paths
        .and_then(Resolved::as_map)
        .into_iter()
        .flat_map(|paths| paths.values());
    let mut parts = body.into_iter().chain(paths).chain(methods);
    if parts.any(|part| matches!(part, Resolved::Unknown(_))) {
        gap(
            "Body",
            format!("the OpenAPI body of {id} is partly unknown"),
        );
    }
    gaps
}
