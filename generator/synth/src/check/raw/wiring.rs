//! Raw resources that are parts of the stack's own APIs.

use std::collections::BTreeMap;

use stackgen_cfn::{Node, Span};

use crate::LocatedError;
use crate::names::route_shape;
use crate::outline::TemplateOutline;
use crate::references::depends_on;
use crate::spans::DocumentSpans;

/// Checks that a raw part of an API does not duplicate another part, and that the deployment can depend on it.
pub(super) fn check(document: &Node, outline: &TemplateOutline, errors: &mut Vec<LocatedError>) {
    let spans = DocumentSpans(document);
    report_duplicates(outline, &spans, errors);
    let deployments = outline
        .deployments
        .iter()
        .filter_map(|id| outline.resources.get(id));
    for id in deployments.flat_map(|(deployment, _)| depends_on(deployment)) {
        let id = id.as_str().unwrap_or_default();
        let raw = document.at_path(&["resources", id]);
        if raw.is_some_and(|raw| raw.get("Condition").is_some()) {
            let span = spans.key(&["resources", id, "Condition"]);
            errors.push(
                LocatedError::new(span, format!("`{id}` is part of the API's deployment and cannot have a condition"))
                    .hint(
                        "write it under the environments that have it: the deployment depends on it, and cannot \
                         depend on a resource that may not exist",
                    )
                    .row("F7"),
            );
        }
    }
    for (id, (resource, origin)) in &outline.resources {
        let raw = origin.first().is_some_and(|first| first == "resources");
        let auto = resource.at_path(&["Properties", "AutoDeploy"]);
        let auto =
            auto.filter(|node| node.as_bool() == Some(true) || node.as_str() == Some("true"));
        if raw
            && own_api_part(resource, outline).is_some_and(|(kind, _)| kind == "Stage")
            && auto.is_some()
        {
            let span = spans.key(&["resources", id, "Properties", "AutoDeploy"]);
            errors.push(
                LocatedError::new(span, "a stage of this API cannot use AutoDeploy")
                    .hint("name a deployment in `DeploymentId`: stackgen creates one for each change of the wiring")
                    .row("D5"),
            );
        }
    }
}

/// Reports routes with the same key and stages with the same name.
fn report_duplicates(
    outline: &TemplateOutline,
    spans: &DocumentSpans<'_>,
    errors: &mut Vec<LocatedError>,
) {
    let mut seen: BTreeMap<(&str, &str, String), &[String]> = BTreeMap::new();
    for (resource, origin) in outline.resources.values() {
        let Some((kind, api)) = own_api_part(resource, outline) else {
            continue;
        };
        let key = match kind {
            "Route" => "RouteKey",
            "Stage" => "StageName",
            _ => continue,
        };
        let Some(name) = resource
            .at_path(&["Properties", key])
            .and_then(Node::as_str)
        else {
            continue;
        };
        let shape = match api {
            "HttpApi" => route_shape(name),
            _ => name.to_owned(),
        };
        let Some(first) = seen.insert((kind, api, shape), origin) else {
            continue;
        };
        let key_span = |origin: &[String]| -> Span {
            let path: Vec<_> = origin.iter().map(String::as_str).collect();
            spans.key(&path)
        };
        let id = origin.last().map_or("", String::as_str);
        let span = spans.value(&["resources", id, "Properties", key]);
        // Other checks report duplicates outside of `resources`.
        if origin.first().is_some_and(|section| section == "resources") {
            let (word, attribute) = match kind {
                "Route" => ("route", "key"),
                _ => ("stage", "name"),
            };
            errors.push(
                LocatedError::new(span, format!("`{api}` already has a {word} `{name}`"))
                    .related(key_span(first), "here")
                    .hint(format!(
                        "remove one of them: API Gateway refuses a second {word} with the same {attribute}"
                    ))
                    .row("D14"),
            );
        }
    }
}

/// Returns the kind of a resource that is a part of one of the stack's own APIs, and the API's logical ID: `Route` and
/// `WebSocketApi`.
fn own_api_part<'a>(resource: &'a Node, outline: &TemplateOutline) -> Option<(&'a str, &'a str)> {
    let kind = resource.get("Type")?.as_str()?;
    let kind = kind.strip_prefix("AWS::ApiGatewayV2::")?;
    let api = resource
        .at_path(&["Properties", "ApiId"])?
        .as_call()?
        .as_ref_name()?;
    let (_, origin) = outline.resources.get(api)?;
    let ours = origin.first().is_some_and(|section| section != "resources");
    ours.then_some((kind, api))
}
