use std::collections::HashSet;

use stackgen_model::{Api, Deployment, Link, Model};

use crate::context::RuleContext;
use crate::facts::{creation_order, served_deployments};
use crate::rule::rule;
use crate::{Confidence, Finding, Location, Severity};

rule! {
    /// No stage serves a deployment, and nothing else in the template refers to it.
    ///
    /// ## Why it hurts
    ///
    /// A deployment is a snapshot, which only has an effect while a stage serves it (row D1). Next to a stage with
    /// `AutoDeploy: true` it is created once and never used (row D5). The template suggests that it deploys the API:
    /// someone gives it a new ID and nothing happens, or removes `AutoDeploy` and the stage is never deployed again. But
    /// the API is served all the same, so there it is a note.
    ///
    /// ## How to fix it
    ///
    /// Set a stage's `DeploymentId` to it, or remove it.
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

/// Returns the deployments that no stage serves. Returns none if a stage may serve any deployment, serves nothing, or sets
/// both `DeploymentId` and `AutoDeploy`: other rules report such stages.
fn unused(api: &Api) -> Vec<(&Api, &Deployment)> {
    let mut stages = api.stages.iter();
    let is_excluded = |stage: &stackgen_model::Stage| {
        let both = served_deployments::has_auto_deploy(stage) && stage.deployment.to().is_some();
        matches!(stage.deployment, Link::Unknown(_))
            || both
            || served_deployments::serves_nothing(stage)
    };
    if stages.any(is_excluded) || api.routes.is_empty() {
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

/// Returns every name that a property or an output refers to.
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
        let message = format!("no stage serves deployment {id}: the stage has `AutoDeploy: true`");
        let finding = Finding::new(&RULE, location, message)
            .related(
                Location::of(&stage.resource, &["AutoDeploy"]),
                "creates its own deployments",
            )
            .hint("remove the deployment, or remove `AutoDeploy` and set `DeploymentId`");
        return Finding {
            severity: Severity::Note,
            ..finding
        };
    }
    let message = format!("no stage serves deployment {id}");
    let finding = Finding::new(&RULE, location, message);
    match api.stages.is_empty() {
        true => finding.hint(format!(
            "add an `AWS::ApiGatewayV2::Stage` with `DeploymentId: !Ref {id}`"
        )),
        // The stage serves another deployment, and this one may be retained for a rollback.
        false => finding
            .hint("remove it, unless it is retained for a rollback")
            .with_confidence(Confidence::Low),
    }
}
