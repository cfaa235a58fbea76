use std::collections::HashSet;

use stackgen_model::{Api, Deployment, Link, Model};

use crate::context::RuleContext;
use crate::facts::{creation_order, served_deployments};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// No stage serves a deployment, and nothing else in the template refers to it.
    ///
    /// ## Why it hurts
    ///
    /// A deployment is a snapshot; it has an effect only while a stage points at it (row D1). Beside a stage with
    /// `AutoDeploy: true` it is made once and then lies about, while the stage goes its own way (row D5). Whoever reads
    /// the template takes it for the way to deploy, gives it a new id, and wonders that nothing happens, or removes
    /// `AutoDeploy` and has a stage that is never deployed again.
    ///
    /// ## How to fix it
    ///
    /// Point a stage's `DeploymentId` at it, or remove it.
    id: "SG412",
    name: "deployment-never-used",
    severity: Warning,
    confidence: Medium,
    rows: ["D1", "D5", "D7"],
    fixable: false,
    example: "stages/deployment_never_used.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let apis = context.websockets().filter(|api| context.is_complete(api));
    let unused: Vec<_> = apis.flat_map(|api| unused(api)).collect();
    if unused.is_empty() {
        return Vec::new();
    }
    let named = named(context.model);
    unused
        .into_iter()
        .filter(|(_, deployment)| !named.contains(deployment.resource.logical_id.as_str()))
        .map(|(api, deployment)| finding(api, deployment))
        .collect()
}

/// The deployments that no stage points at. Not those of an API one of whose stages may point at any, serves nothing
/// although it should, or points at a deployment although it deploys by itself: these are told of the stage.
fn unused(api: &Api) -> Vec<(&Api, &Deployment)> {
    let mut stages = api.stages.iter();
    let is_told = |stage: &stackgen_model::Stage| {
        let both = served_deployments::has_auto_deploy(stage) && stage.deployment.to().is_some();
        matches!(stage.deployment, Link::Unknown(_))
            || both
            || served_deployments::serves_nothing(stage)
    };
    if stages.any(is_told) || api.routes.is_empty() {
        return Vec::new();
    }
    let served: HashSet<_> = api
        .stages
        .iter()
        .filter_map(|stage| stage.deployment.to())
        .collect();
    let deployments = api.deployments.iter().filter(|deployment| {
        deployment.stage_name.is_none() && !served.contains(&deployment.resource.logical_id)
    });
    deployments.map(|deployment| (api, deployment)).collect()
}

/// Every name that a property or an output refers to.
fn named(model: &Model) -> HashSet<String> {
    let mut named = HashSet::new();
    let mut add = |name: &str| {
        named.insert(name.to_owned());
    };
    for resource in model.resources.values() {
        creation_order::visit_references(&resource.properties, &mut add);
    }
    creation_order::visit_references(&model.outputs, &mut add);
    named
}

fn finding(api: &Api, deployment: &Deployment) -> Finding {
    let id = &deployment.resource.logical_id;
    let location = Location::of(&deployment.resource, &[]);
    if let Some(stage) = api
        .stages
        .iter()
        .find(|stage| served_deployments::has_auto_deploy(stage))
    {
        let message = format!("deployment {id} is served by no stage: the stage deploys by itself");
        return Finding::new(&RULE, location, message)
            .related(
                Location::of(&stage.resource, &["AutoDeploy"]),
                "makes its own deployments",
            )
            .hint("remove the deployment, or `AutoDeploy` and point `DeploymentId` at it");
    }
    let message = format!("deployment {id} is served by no stage");
    let finding = Finding::new(&RULE, location, message);
    match api.stages.is_empty() {
        true => finding.hint(format!(
            "add an `AWS::ApiGatewayV2::Stage` with `DeploymentId: !Ref {id}`"
        )),
        // Another deployment is served, and this one may be kept to go back to.
        false => finding
            .hint("remove it, unless it is kept to go back to")
            .with_confidence(Confidence::Low),
    }
}
