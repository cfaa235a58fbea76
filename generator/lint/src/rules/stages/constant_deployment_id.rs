use std::collections::HashSet;

use stackgen_model::Deployment;

use crate::context::RuleContext;
use crate::facts::changed_apis::ChangedApi;
use crate::facts::constant_id;
use crate::facts::served_deployments::ServedDeployments;
use crate::facts::terraform;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage serves a deployment whose logical ID never changes.
    ///
    /// ## Why it hurts
    ///
    /// CloudFormation creates a deployment only if its logical ID is new; otherwise only a change of `ApiId` replaces
    /// it (row D7). The first run is right. When a route, an integration or an authorizer changes later, the update
    /// succeeds, the stage keeps the old snapshot, and new routes answer with `Forbidden` frames (row M3) until someone
    /// runs `create-deployment` and `update-stage`. The code of an unqualified function is live anyway (row D2), which
    /// hides the problem.
    ///
    /// ## How to fix it
    ///
    /// End the deployment's logical ID in a digest of what it snapshots, as `stackgen synth` and the Serverless
    /// Framework do. In CDK use `addToLogicalId` or a construct ID with the digest. Or set `AutoDeploy: true` on the
    /// stage and remove the deployment. In Terraform, give the deployment `triggers` with a digest of the routes,
    /// integrations and authorizers. An ID that someone changes by hand is not enough, because one day it is
    /// forgotten; `stackgen lint --previous` reports that.
    id: "SG404",
    name: "constant-deployment-id",
    severity: Warning,
    confidence: Medium,
    rows: ["D7", "D1"],
    fixable: false,
    example: "stages/constant_deployment_id.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // Another rule reports a deployment that is stale with this change.
    let changed = context.facts.changed_apis();
    let stale = changed.iter().flat_map(ChangedApi::unchanged_deployments);
    let stale: HashSet<_> = stale.map(|stale| &stale.resource.logical_id).collect();
    let deployers = context.facts.custom_deployers();
    let mut findings = Vec::new();
    for api in context.websockets() {
        let serving = ServedDeployments::of(api);
        for deployment in &api.deployments {
            let resource = &deployment.resource;
            if constant_id::is_constant(resource) && !stale.contains(&resource.logical_id) {
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
        "deployment {id} always has the same logical ID, so changes of routes are not deployed"
    );
    let hint = format!(
        "append to its logical ID a digest of the routes, integrations and authorizers, such as `{id}2FA999A1D3`"
    );
    let (message, hint) = match terraform::is_terraform(&deployment.resource) {
        false => (message, hint),
        true => (
            format!("deployment {id} has no `triggers`, so changes of routes are not deployed"),
            "add `triggers = { redeployment = sha1(jsonencode([…])) }` with the routes, integrations and authorizers, or set \
             `auto_deploy = true` on the stage and remove the deployment"
                .to_owned(),
        ),
    };
    let finding = Finding::new(&RULE, Location::of(&deployment.resource, &[]), message).hint(hint);
    match serving.stage(deployment) {
        Some(stage) => {
            let location = Location::of(&stage.resource, &["DeploymentId"]);
            Some(finding.related(location, "keeps serving its first snapshot"))
        }
        None => deployment.stage_name.is_some().then_some(finding),
    }
}
