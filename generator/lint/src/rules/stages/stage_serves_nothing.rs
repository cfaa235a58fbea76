use std::collections::HashSet;

use stackgen_model::{Api, Stage, Text};

use crate::context::RuleContext;
use crate::facts::custom_deployers::CustomDeployers;
use crate::facts::served_deployments;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage has neither a deployment nor `AutoDeploy`, so it serves nothing.
    ///
    /// ## Why it hurts
    ///
    /// The stack deploys without an error, the stage's URL exists, and every handshake fails with 403 (row C3). An
    /// `AWS::ApiGatewayV2::Deployment` in the template does not help unless it or the stage names the other.
    ///
    /// ## How to fix it
    ///
    /// Set the stage's `DeploymentId` to an `AWS::ApiGatewayV2::Deployment` that depends on every route (row F7) and
    /// whose logical ID changes with the wiring (row D7), or set `AutoDeploy: true`. On CDK's `WebSocketStage` set
    /// `autoDeploy: true`: it is off by default.
    id: "SG401",
    name: "stage-serves-nothing",
    severity: Error,
    confidence: Medium,
    rows: ["C3", "D7"],
    fixable: false,
    example: "stages/stage_serves_nothing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let complete = context.websockets().filter(|api| context.is_complete(api));
    let with_idle = |api: &&Api| api.stages.iter().any(served_deployments::serves_nothing);
    let apis: Vec<_> = complete.filter(with_idle).collect();
    if apis.is_empty() {
        return Vec::new();
    }
    // Another stack that receives the API's ID may create a deployment that names the stage.
    let visibility = context.facts.route_visibility();
    let apis = apis.into_iter().filter(|api| !visibility.is_shared(api));
    let deployers = context.facts.custom_deployers();
    apis.flat_map(|api| check_api(api, deployers)).collect()
}

fn check_api(api: &Api, deployers: &CustomDeployers<'_>) -> Vec<Finding> {
    let names = api.deployments.iter();
    let names = names.filter_map(|deployment| deployment.stage_name.as_ref());
    // A deployment that names a stage is activated on it; one with an unknown stage name may be.
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
    let message = format!("stage {id} has no deployment to serve: every handshake fails with 403");
    let finding = Finding::new(&RULE, Location::of(&stage.resource, &[]), message);
    match api.deployments.as_slice() {
        [] => {
            finding.hint("set `AutoDeploy: true`, or add a deployment and set `DeploymentId` to it")
        }
        [deployment, ..] => {
            let deployment = &deployment.resource;
            let hint = format!("set `DeploymentId: !Ref {}`", deployment.logical_id);
            let location = Location::of(deployment, &[]);
            finding
                .related(location, "the stage does not refer to this deployment")
                .hint(hint)
        }
    }
}
