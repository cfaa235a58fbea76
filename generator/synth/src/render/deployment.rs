//! Deployments: a snapshot of an API's wiring, under a name that changes exactly when the wiring does.

use stackgen_cfn::{Map, Node, map, r#ref};
use stackgen_model::{Inputs, Model};

use super::api::Api;
use super::template::Resource;

/// The logical id that stands for a deployment until its digest is known.
pub(super) fn placeholder(api: Api) -> String {
    format!("{}Deployment", api.prefix)
}

/// A deployment's final logical id and resource.
pub(super) struct Deployment {
    pub(super) id: String,
    pub(super) resource: Resource,
}

/// The deployment of an API in a template that holds all of its parts.
///
/// The logical id carries the digest of what the deployment snapshots (row D1), so that a change of the wiring makes
/// a new deployment and nothing else does (row D7). It waits for every route and route response (row F7), those of
/// raw resources included, and stays when the template moves on: it is what a roll-back goes back to.
pub(super) fn deployment(
    api: Api,
    environment: &str,
    resources: &Map,
    parameters: &Node,
) -> Deployment {
    let template = map([
        ("Parameters", parameters.clone()),
        ("Resources", resources.clone().into()),
    ]);
    let model = Model::from_template(&template, &Inputs::default());
    let found = model.apis.iter().find(|found| {
        found
            .resource
            .as_ref()
            .is_some_and(|found| found.logical_id.as_str() == api.id)
    });
    let digest = found
        .map(|found| found.snapshot_digest(&model))
        .expect("the API stands in these resources");
    let resource = Resource::new("AWS::ApiGatewayV2::Deployment")
        .retained(true)
        .depends_on(snapshotted_last(api, resources))
        .set("ApiId", r#ref(api.id))
        .set(
            "Description",
            format!("stackgen sha256:{digest} env:{environment}"),
        );
    Deployment {
        id: format!("{}{}", placeholder(api), digest.short()),
        resource,
    }
}

/// Every route and route response of an API, by logical id in order.
fn snapshotted_last(api: Api, resources: &Map) -> Vec<String> {
    let mut ids: Vec<_> = resources
        .iter()
        .filter(|(_, resource)| {
            let kind = resource.get("Type").and_then(Node::as_str);
            let of_api = resource
                .at_path(&["Properties", "ApiId"])
                .and_then(|id| id.as_call()?.as_ref_name());
            matches!(
                kind,
                Some("AWS::ApiGatewayV2::Route" | "AWS::ApiGatewayV2::RouteResponse")
            ) && of_api == Some(api.id)
        })
        .map(|(id, _)| id.to_owned())
        .collect();
    ids.sort_unstable();
    ids
}
