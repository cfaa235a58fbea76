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
    /// updated (row D5). The deployment of the template counts at most while the stage is created, and the next change of
    /// a route replaces it. When the template names another deployment, the update fails with a `BadRequestException`.
    ///
    /// ## How to fix it
    ///
    /// Choose one. Without `DeploymentId`, every change is live as soon as its resource is updated, one resource at a
    /// time. Without `AutoDeploy`, changes go live together when the stage activates a new deployment, and can be
    /// rolled back (row D11).
    id: "SG402",
    name: "deployment-id-with-auto-deploy",
    severity: Warning,
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
    let message = format!(
        "stage {id} sets `DeploymentId` and `AutoDeploy: true`: it cannot be updated to another deployment"
    );
    Finding::new(
        &RULE,
        Location::of(&stage.resource, &["DeploymentId"]),
        message,
    )
    .related(
        Location::of(&stage.resource, &["AutoDeploy"]),
        "with this, API Gateway sets the deployment",
    )
    .hint("remove `DeploymentId` and its deployment, or remove `AutoDeploy`")
}
