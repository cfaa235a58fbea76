use std::collections::HashSet;

use stackgen_model::Deployment;

use crate::context::RuleContext;
use crate::facts::changed_apis::ChangedApi;
use crate::facts::constant_id;
use crate::facts::served_deployments::ServedDeployments;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage serves a deployment whose logical id never changes.
    ///
    /// ## Why it hurts
    ///
    /// CloudFormation makes a deployment when its logical id is new, and only another `ApiId` would replace it (row D7).
    /// The first run is right. When a route, an integration or an authorizer changes after that, the update succeeds,
    /// the stage keeps the old snapshot, and new routes answer with `Forbidden` frames (row M3) until somebody runs
    /// `create-deployment` and `update-stage` by hand. Code behind an unqualified function is live all the same (row
    /// D2), which hides it.
    ///
    /// ## How to fix it
    ///
    /// Give the deployment a logical id with a digest of what it holds at its end, as `stackgen synth` and the
    /// Serverless Framework do; in CDK, `addToLogicalId` or a construct id that has the digest in it. Or let the stage
    /// deploy by itself, with `AutoDeploy: true` and without the deployment. An id that is changed by hand for every
    /// change is no cure, as one day it is not; `stackgen lint --previous` tells of that day.
    id: "SG404",
    name: "constant-deployment-id",
    severity: Warning,
    confidence: Medium,
    rows: ["D7", "D1"],
    fixable: false,
    example: "stages/constant_deployment_id.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // That it is stale with this change is told rather than that it will be.
    let rewired = context.facts.changed_apis();
    let kept = rewired.iter().flat_map(ChangedApi::unchanged_deployments);
    let kept: HashSet<_> = kept.map(|kept| &kept.resource.logical_id).collect();
    let deployers = context.facts.custom_deployers();
    let mut findings = Vec::new();
    for api in context.websockets() {
        let serving = ServedDeployments::of(api);
        for deployment in &api.deployments {
            let resource = &deployment.resource;
            if constant_id::is_constant(resource) && !kept.contains(&resource.logical_id) {
                let found = finding(&serving, deployment);
                findings.extend(found.map(|found| deployers.qualify(api, found)));
            }
        }
    }
    findings
}

fn finding(serving: &ServedDeployments<'_>, deployment: &Deployment) -> Option<Finding> {
    let id = &deployment.resource.logical_id;
    let message = format!(
        "deployment {id} has the same logical id for ever, so that a change of a route is not deployed"
    );
    let hint = format!(
        "end its id in a digest of the routes, integrations and authorizers, as in `{id}2FA999A1D3`"
    );
    let finding = Finding::new(&RULE, Location::of(&deployment.resource, &[]), message).hint(hint);
    match serving.stage(deployment) {
        Some(stage) => {
            let location = Location::of(&stage.resource, &["DeploymentId"]);
            Some(finding.related(location, "goes on serving its first snapshot"))
        }
        None => deployment.stage_name.is_some().then_some(finding),
    }
}
