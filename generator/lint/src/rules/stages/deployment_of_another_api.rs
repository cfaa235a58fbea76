use std::collections::HashMap;

use stackgen_model::{Api, LogicalId, Stage};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage points at the deployment of another API.
    ///
    /// ## Why it hurts
    ///
    /// A deployment belongs to the API that its `ApiId` names, and a stage can only serve one of its own API. The stack
    /// fails at the stage, as API Gateway finds no deployment of that id there.
    ///
    /// ## How to fix it
    ///
    /// Point the stage's `DeploymentId` at a deployment whose `ApiId` is that of the stage.
    id: "SG413",
    name: "deployment-of-another-api",
    severity: Error,
    confidence: High,
    rows: ["F7", "F8"],
    fixable: false,
    example: "stages/deployment_of_another_api.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // Of an API outside of the template it is not known whether it is another.
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
    let message =
        format!("stage {id} points at deployment {deployment}, which is one of api {owner}");
    let finding = Finding::new(
        &RULE,
        Location::of(&stage.resource, &["DeploymentId"]),
        message,
    )
    .hint("point it at a deployment whose `ApiId` is that of the stage");
    match context.model.resource(deployment) {
        Some(deployment) => finding.related(Location::of(deployment, &["ApiId"]), "another api"),
        None => finding,
    }
}
