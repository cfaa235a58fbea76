//! What a template makes that the model does not hold.

use stackgen_cfn::{Map, Node};

use crate::resource::{Resource, Resources};
use crate::{Problem, Resolved};

/// Loops of the language extensions, and routes of HTTP APIs that stand in no resource and no readable body.
pub(super) fn gaps(template: &Node, resources: &Resources) -> Vec<Problem> {
    let section = template.get("Resources").and_then(Node::as_map);
    let entries = section.into_iter().flat_map(Map::entries);
    let loops = entries.filter(|(key, _)| key.starts_with("Fn::ForEach"));
    let loops = loops.map(|(key, entry)| {
        Problem::new(
            format!("what {key} makes is not in the model"),
            entry.key_span,
        )
    });
    let apis = resources
        .values()
        .filter(|resource| resource.kind == "AWS::ApiGatewayV2::Api");
    loops.chain(apis.flat_map(|api| of_api(api))).collect()
}

fn of_api(api: &Resource) -> Vec<Problem> {
    let id = &api.logical_id;
    let mut gaps = Vec::new();
    let mut gap = |property: &str, message: String| {
        gaps.push(Problem::new(message, api.place(&[property])));
    };
    if api.properties.get("Target").is_some() {
        let message = format!("the route and stage that Target of {id} makes are not in the model");
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
            format!("the OpenAPI body of {id} is not known as a whole"),
        );
    }
    gaps
}
