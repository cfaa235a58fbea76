use stackgen_model::{Api, Deployment};

use crate::context::RuleContext;
use crate::facts::constant_id;
use crate::facts::served_deployments::ServedDeployments;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A deployment goes as soon as the next one takes its place.
    ///
    /// ## Why it hurts
    ///
    /// Rolling back is pointing the stage at the earlier deployment (row D11). A deployment whose logical id changes is
    /// deleted with the update that makes the next: there is nothing left to point at. And when somebody has moved the
    /// stage by hand to a deployment that leaves the template, deleting it fails, because a stage still points at it (rows
    /// D6, D10).
    ///
    /// ## How to fix it
    ///
    /// Set `DeletionPolicy: RetainExceptOnCreate` and `UpdateReplacePolicy: Retain` on the deployment, and delete old
    /// ones when nobody will go back to them; `stackgen deployments prune` does.
    id: "SG422",
    name: "deployment-not-retained",
    severity: Note,
    confidence: High,
    rows: ["D6", "D10", "D11"],
    fixable: false,
    example: "stages/deployment_not_retained.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().flat_map(check_api).collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    let serving = ServedDeployments::of(api);
    // One whose id is constant never leaves the template.
    let replaced = api.deployments.iter().filter(|deployment| {
        let resource = &deployment.resource;
        !resource.retained
            && !constant_id::is_constant(resource)
            && serving.stage(deployment).is_some()
    });
    replaced.map(finding).collect()
}

fn finding(deployment: &Deployment) -> Finding {
    let id = &deployment.resource.logical_id;
    let message = format!(
        "deployment {id} is deleted when the next one takes its place, and cannot be gone back to"
    );
    Finding::new(&RULE, Location::of(&deployment.resource, &[]), message)
        .hint("set `DeletionPolicy: RetainExceptOnCreate` and `UpdateReplacePolicy: Retain`")
}
