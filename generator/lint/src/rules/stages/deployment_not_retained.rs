use stackgen_model::{Api, Deployment};

use crate::context::RuleContext;
use crate::facts::constant_id;
use crate::facts::served_deployments::ServedDeployments;
use crate::facts::terraform;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A deployment is deleted as soon as the next one replaces it.
    ///
    /// ## Why it hurts
    ///
    /// A rollback activates an earlier deployment (row D11). If the logical ID of a deployment changes, the update that
    /// creates the next one deletes it, and there is nothing to roll back to. If someone has pointed the stage at a
    /// deployment that leaves the template, its deletion fails, because a stage still uses it (rows D6, D10).
    ///
    /// ## How to fix it
    ///
    /// Set `DeletionPolicy: RetainExceptOnCreate` and `UpdateReplacePolicy: Retain` on the deployment, and delete old
    /// ones that nobody will roll back to, for example with `stackgen deployments prune`.
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
    // A deployment with a constant ID is never replaced.
    let replaced = api.deployments.iter().filter(|deployment| {
        let resource = &deployment.resource;
        // Terraform cannot keep the resources that it replaces.
        !resource.retained
            && !terraform::is_terraform(resource)
            && !constant_id::is_constant(resource)
            && serving.stage(deployment).is_some()
    });
    replaced.map(finding).collect()
}

fn finding(deployment: &Deployment) -> Finding {
    let id = &deployment.resource.logical_id;
    let message = format!(
        "deployment {id} is deleted when the next one replaces it, so a rollback is impossible"
    );
    Finding::new(&RULE, Location::of(&deployment.resource, &[]), message)
        .hint("set `DeletionPolicy: RetainExceptOnCreate` and `UpdateReplacePolicy: Retain`")
}
