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
    /// The deployment's logical id carries a digest of what it snapshots, so that other wiring makes another deployment
    /// (row D7). Wiring that is edited in the rendered file leaves the id as it is: the stack is updated without an
    /// error, and the stage goes on serving the old snapshot. The next `stackgen synth` undoes the edit besides.
    ///
    /// ## How to fix it
    ///
    /// Make the change in `stackgen.yaml` and run `stackgen synth`. A template that an earlier version of stackgen
    /// rendered may need the latter alone.
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
    // One that no stage serves may be an earlier one, which is kept to go back to. That an id never changes is another
    // mistake.
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
            "deployment {id} was rendered for other wiring: the digest of what stands here is {short}"
        );
        Finding::new(&RULE, Location::of(&deployment.resource, &[]), message)
            .hint("make the change in `stackgen.yaml` and run `stackgen synth`")
    };
    rendered.into_iter().filter(is_stale).map(finding).collect()
}
