use stackgen_model::{Link, Stage};

use crate::context::RuleContext;
use crate::facts::served_deployments;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage sets both `DeploymentId` and `AutoDeploy: true`.
    ///
    /// ## Why it hurts
    ///
    /// With `AutoDeploy` API Gateway updates the stage's deployment after every change, and `DeploymentId` cannot be
    /// set (row D5): the stack fails with a `BadRequestException`, at the latest when the template names another
    /// deployment. Until then the next change of a route replaces the deployment of the template.
    ///
    /// ## How to fix it
    ///
    /// Choose one. Without `DeploymentId`, every change is live as soon as its resource is updated, one resource at a
    /// time. Without `AutoDeploy`, changes go live together when the stage activates a new deployment, and can be
    /// rolled back (row D11).
    id: "SG402",
    name: "deployment-id-with-auto-deploy",
    severity: Error,
    confidence: High,
    rows: ["D5", "F8"],
    fixable: false,
    example: "stages/deployment_id_with_auto_deploy.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let stages = context.websockets().flat_map(|api| &api.stages);
    stages
        .filter(|stage| sets_both(stage))
        .map(finding)
        .collect()
}

fn sets_both(stage: &Stage) -> bool {
    served_deployments::has_auto_deploy(stage)
        && matches!(stage.deployment, Link::To(_) | Link::External(_))
}

fn finding(stage: &Stage) -> Finding {
    let id = &stage.resource.logical_id;
    let message = format!("stage {id} sets a `DeploymentId` together with `AutoDeploy: true`");
    Finding::new(
        &RULE,
        Location::of(&stage.resource, &["DeploymentId"]),
        message,
    )
    .related(
        Location::of(&stage.resource, &["AutoDeploy"]),
        "with this, it cannot be set",
    )
    .hint("remove `DeploymentId` and its deployment, or remove `AutoDeploy`")
}
