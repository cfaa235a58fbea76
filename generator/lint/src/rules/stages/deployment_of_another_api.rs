use std::collections::HashMap;

use stackgen_model::{Api, LogicalId, Stage};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage names the deployment of another API.
    ///
    /// ## Why it hurts
    ///
    /// A deployment belongs to the API in its `ApiId`, and a stage can only serve a deployment of its own API. The
    /// stack fails at the stage, because API Gateway finds no deployment with this ID.
    ///
    /// ## How to fix it
    ///
    /// Set the stage's `DeploymentId` to a deployment with the same `ApiId` as the stage.
    id: "SG413",
    name: "deployment-of-another-api",
    severity: Error,
    confidence: High,
    rows: ["F7", "F8"],
    fixable: false,
    example: "stages/deployment_of_another_api.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // An API outside the template may be the same API.
    let known = context
        .model
        .apis
        .iter()
        .filter(|api| api.id.to().is_some());
    let owners: HashMap<&LogicalId, &Api> = known
        .flat_map(|api| {
            api.deployments
                .iter()
                .map(move |one| (&one.resource.logical_id, api))
        })
        .collect();
    let apis = context.websockets().filter(|api| api.id.to().is_some());
    let stages = apis.flat_map(|api| api.stages.iter().map(move |stage| (api, stage)));
    stages
        .filter_map(|(api, stage)| {
            let deployment = stage.deployment.to()?;
            let owner = owners.get(deployment)?;
            (owner.id != api.id).then(|| finding(context, stage, deployment, owner))
        })
        .collect()
}

fn finding(
    context: &RuleContext<'_>,
    stage: &Stage,
    deployment: &LogicalId,
    owner: &Api,
) -> Finding {
    let id = &stage.resource.logical_id;
    let owner = owner.id.to().map(LogicalId::as_str).unwrap_or_default();
    let message = format!("stage {id} names deployment {deployment}, which belongs to API {owner}");
    let finding = Finding::new(
        &RULE,
        Location::of(&stage.resource, &["DeploymentId"]),
        message,
    )
    .hint("set it to a deployment with the same `ApiId` as the stage");
    match context.model.resource(deployment) {
        Some(deployment) => finding.related(Location::of(deployment, &["ApiId"]), "another API"),
        None => finding,
    }
}
