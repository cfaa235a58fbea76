//! Deployments: snapshots of an API's wiring, with a logical ID that changes exactly when the wiring does.

use stackgen_cfn::{Map, Node, r#ref};
use stackgen_model::{Inputs, Model};

use super::api_names::ApiNames;
use super::template::{ResourceBuilder, TemplateBuilder};

/// Adds placeholders for a deployment and for the output with its ID.
pub(super) fn reserve(api: ApiNames, template: &mut TemplateBuilder) {
    template.reserve(&api.deployment_id());
    template.output(
        &api.deployment_output_id(),
        "The deployment that this template makes and its stage serves",
        r#ref(api.deployment_id()),
    );
}

/// Replaces the placeholders with deployments, in a template that is otherwise complete.
///
/// The logical ID contains the digest of the wiring (row D1), so that a change of the wiring creates a new deployment
/// and no other change does (row D7). The deployment depends on everything that it snapshots (row F7), including raw
/// resources. It is retained when the template moves on, so that a rollback can activate it.
pub(super) fn fill(apis: &[ApiNames], environment: &str, template: &mut Node) {
    if apis.is_empty() {
        return;
    }
    let model = Model::of_wiring(template, &Inputs::default());
    for &api in apis {
        let is_ours = |id: Option<&str>| id == Some(api.id);
        let found = model.apis.iter().find(|found| {
            is_ours(
                found
                    .resource
                    .as_ref()
                    .map(|found| found.logical_id.as_str()),
            )
        });
        let digest = found
            .map(|found| found.snapshot_digest(&model))
            .expect("the API stands in this template");
        let id = format!("{}{}", api.deployment_id(), digest.short());
        let deployment = ResourceBuilder::new("AWS::ApiGatewayV2::Deployment")
            .retained(true)
            .depends_on(snapshotted(api, resources(template)))
            .set("ApiId", r#ref(api.id))
            .set(
                "Description",
                format!("stackgen sha256:{digest} env:{environment}"),
            );
        let stage = api.stage_id();
        set(
            template,
            &["Resources", &stage, "Properties", "DeploymentId"],
            r#ref(&id),
        );
        set(
            template,
            &["Outputs", &api.deployment_output_id(), "Value"],
            r#ref(&id),
        );
        replace(template, &api.deployment_id(), &id, deployment.into_node());
    }
}

/// Sets the value at a path, if the path exists.
fn set(template: &mut Node, path: &[&str], value: Node) {
    let slot = path
        .iter()
        .try_fold(template, |node, key| node.as_map_mut()?.get_mut(key));
    if let Some(slot) = slot {
        *slot = value;
    }
}

/// Replaces a resource by another with a new logical ID, at the same position.
fn replace(template: &mut Node, old: &str, new: &str, resource: Node) {
    let resources = template
        .as_map_mut()
        .and_then(|map| map.get_mut("Resources")?.as_map_mut());
    if let Some(resources) = resources {
        let mut resource = Some(resource);
        let entries = std::mem::take(resources).into_iter();
        *resources = entries
            .map(|(id, node)| match id == old {
                true => (new.to_owned(), resource.take().unwrap_or_default()),
                false => (id, node),
            })
            .collect();
    }
}

fn resources(template: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let resources = template.get("Resources").and_then(Node::as_map);
    resources.into_iter().flat_map(Map::iter)
}

/// Returns the logical IDs of everything that a deployment of the API snapshots, sorted.
pub(super) fn snapshotted<'a>(
    api: ApiNames,
    resources: impl Iterator<Item = (&'a str, &'a Node)>,
) -> Vec<String> {
    const KINDS: [&str; 6] = [
        "AWS::ApiGatewayV2::Authorizer",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::IntegrationResponse",
        "AWS::ApiGatewayV2::Model",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::RouteResponse",
    ];
    let mut ids: Vec<_> = resources
        .filter(|(_, resource)| {
            let kind = resource.get("Type").and_then(Node::as_str);
            let of_api = resource
                .at_path(&["Properties", "ApiId"])
                .and_then(|id| id.as_call()?.as_ref_name());
            kind.is_some_and(|kind| KINDS.contains(&kind)) && of_api == Some(api.id)
        })
        .map(|(id, _)| id.to_owned())
        .collect();
    ids.sort_unstable();
    ids
}
