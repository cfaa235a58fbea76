use std::collections::HashSet;

use stackgen_model::{Api, Stage, Text};

use crate::context::RuleContext;
use crate::facts::custom_deployers::CustomDeployers;
use crate::facts::served_deployments;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage has neither a deployment nor `AutoDeploy`, so that there is nothing that it can serve.
    ///
    /// ## Why it hurts
    ///
    /// The stack is made without an error, the stage's URL exists, and every handshake is answered with 403 (row C3). An
    /// `AWS::ApiGatewayV2::Deployment` beside the stage does not help as long as neither names the other.
    ///
    /// ## How to fix it
    ///
    /// Point the stage's `DeploymentId` at an `AWS::ApiGatewayV2::Deployment` that waits for every route (row F7) and has
    /// a logical id that changes with the wiring (row D7), or set `AutoDeploy: true`. Of CDK's `WebSocketStage`, set
    /// `autoDeploy: true`: it is off unless it is said.
    id: "SG401",
    name: "stage-serves-nothing",
    severity: Error,
    confidence: Medium,
    rows: ["C3", "D7"],
    fixable: false,
    example: "stages/stage_serves_nothing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let whole = context.websockets().filter(|api| context.is_complete(api));
    let with_idle = |api: &&Api| api.stages.iter().any(served_deployments::serves_nothing);
    let apis: Vec<_> = whole.filter(with_idle).collect();
    if apis.is_empty() {
        return Vec::new();
    }
    // Another stack that is given the API may make a deployment that names the stage.
    let visibility = context.facts.route_visibility();
    let apis = apis.into_iter().filter(|api| !visibility.is_shared(api));
    let deployers = context.facts.custom_deployers();
    apis.flat_map(|api| check_api(api, deployers)).collect()
}

fn check_api(api: &Api, deployers: &CustomDeployers<'_>) -> Vec<Finding> {
    let names = api.deployments.iter();
    let names = names.filter_map(|deployment| deployment.stage_name.as_ref());
    // A deployment that names a stage moves its pointer; one whose name for it is not known may.
    if names.clone().any(|name| name.unknown().is_some()) {
        return Vec::new();
    }
    let named: HashSet<String> = names.map(Text::to_string).collect();
    let is_named = |stage: &Stage| {
        served_deployments::stage_references(stage).any(|name| named.contains(&name))
    };
    let idle = api.stages.iter();
    let idle = idle.filter(|stage| served_deployments::serves_nothing(stage) && !is_named(stage));
    idle.map(|stage| deployers.qualify(api, finding(api, stage)))
        .collect()
}

fn finding(api: &Api, stage: &Stage) -> Finding {
    let id = &stage.resource.logical_id;
    let message =
        format!("stage {id} has no deployment to serve: every handshake is refused with 403");
    let finding = Finding::new(&RULE, Location::of(&stage.resource, &[]), message);
    match api.deployments.as_slice() {
        [] => finding
            .hint("set `AutoDeploy: true`, or add a deployment and point `DeploymentId` at it"),
        [deployment, ..] => {
            let deployment = &deployment.resource;
            let hint = format!("set `DeploymentId: !Ref {}`", deployment.logical_id);
            let location = Location::of(deployment, &[]);
            finding
                .related(location, "the deployment that it does not point at")
                .hint(hint)
        }
    }
}
