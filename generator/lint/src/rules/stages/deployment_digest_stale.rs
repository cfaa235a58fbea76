use stackgen_model::{Api, Deployment, Model};

use crate::context::RuleContext;
use crate::facts::served_deployments::ServedDeployments;
use crate::facts::{changed_apis, constant_id};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A template that `stackgen synth` rendered was edited, and its deployment still names the old wiring.
    ///
    /// ## Why it hurts
    ///
    /// The deployment's logical ID contains a digest of what it snapshots, so that new wiring creates a new deployment
    /// (row D7). An edit of the rendered file leaves the ID unchanged: the update succeeds, and the stage keeps serving
    /// the old snapshot. The next `stackgen synth` also reverts the edit.
    ///
    /// ## How to fix it
    ///
    /// Make the change in `stackgen.yaml` and run `stackgen synth`. If an earlier version of stackgen rendered the
    /// template, running `stackgen synth` is enough.
    id: "SG405",
    name: "deployment-digest-stale",
    severity: Error,
    confidence: High,
    rows: ["D7", "D1"],
    fixable: false,
    example: "stages/deployment_digest_stale.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let apis = context.websockets();
    let check_api = |api| check_api(context.model, api);
    apis.flat_map(check_api).collect()
}

fn check_api(model: &Model, api: &Api) -> Vec<Finding> {
    let deployments = api.deployments.iter();
    let rendered =
        deployments.filter(|deployment| changed_apis::rendered_digest(deployment).is_some());
    let rendered: Vec<&Deployment> = rendered.collect();
    if rendered.is_empty() {
        return Vec::new();
    }
    let digest = api.snapshot_digest(model);
    let short = digest.short();
    let serving = ServedDeployments::of(api);
    // A deployment that no stage serves may be retained for a rollback. Another rule reports a constant ID.
    let is_stale = |deployment: &&Deployment| {
        let id = deployment.resource.logical_id.as_str();
        let is_rendered = changed_apis::rendered_digest(deployment).as_ref() == Some(&digest);
        let is_named = id.ends_with(&short) || constant_id::is_constant(&deployment.resource);
        let is_served = serving.stage(deployment).is_some() || deployment.stage_name.is_some();
        is_served && !(is_rendered && is_named)
    };
    let finding = |deployment: &Deployment| {
        let id = &deployment.resource.logical_id;
        let message = format!(
            "deployment {id} was rendered for different wiring: the digest of this template's wiring is {short}"
        );
        Finding::new(&RULE, Location::of(&deployment.resource, &[]), message)
            .hint("make the change in `stackgen.yaml` and run `stackgen synth`")
    };
    rendered.into_iter().filter(is_stale).map(finding).collect()
}
