//! Deployments: a snapshot of an API's wiring, under a name that changes exactly when the wiring does.

use stackgen_cfn::{Map, Node, r#ref};
use stackgen_model::{Inputs, Model};

use super::api_names::ApiNames;
use super::template::{ResourceBuilder, TemplateBuilder};

/// Keeps places for a deployment and for the output that tells its id.
pub(super) fn reserve(api: ApiNames, template: &mut TemplateBuilder) {
    template.reserve(&api.deployment_id());
    template.output(
        &api.deployment_output_id(),
        "The deployment that this template makes and its stage serves",
        r#ref(api.deployment_id()),
    );
}

/// Puts the deployments of a template in their places, now that everything they snapshot is there.
///
/// A logical id carries the digest of what the deployment snapshots (row D1), so that a change of the wiring makes
/// a new deployment and nothing else does (row D7). It waits for everything that it snapshots (row F7), raw
/// resources included, and stays when the template moves on: it is what a roll-back goes back to.
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
        rename(template, &api.deployment_id(), &id, deployment.into_node());
    }
}

/// Sets what stands at a path.
fn set(template: &mut Node, path: &[&str], value: Node) {
    let place = path
        .iter()
        .try_fold(template, |node, key| node.as_map_mut()?.get_mut(key));
    if let Some(place) = place {
        *place = value;
    }
}

/// Puts a resource in the place of another, under a name of its own.
fn rename(template: &mut Node, old: &str, new: &str, resource: Node) {
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

/// Everything of an API that a deployment snapshots, by logical id in order.
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
