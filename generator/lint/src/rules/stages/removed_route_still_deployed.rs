use std::collections::HashSet;

use stackgen_model::{Api, Deployment, LogicalId, Model, Route};

use crate::context::RuleContext;
use crate::facts::changed_apis::ChangedApi;
use crate::facts::served_deployments::ServedDeployments;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route leaves the template together with the deployment that held it, and the new deployment holds it still.
    ///
    /// ## Why it hurts
    ///
    /// CloudFormation makes the new deployment and points the stage at it before it deletes, in its clean-up, what the
    /// template no longer has. The new snapshot still has the route, and clients can go on using it (row D20): the
    /// function behind it is called, or, when that goes too, every message on it fails with `Internal server error`
    /// frames (row M4).
    ///
    /// ## How to fix it
    ///
    /// Nothing in this update: deploy once more after it, with another logical id of the deployment or with `stackgen
    /// deploy --redeploy-stage`. Remove the function one update later than its route.
    ///
    /// The rule needs the earlier revision: `stackgen lint --previous old.yaml new.yaml`.
    id: "SG427",
    name: "removed-route-still-deployed",
    severity: Note,
    confidence: Medium,
    rows: ["D20", "D9"],
    fixable: false,
    example: "stages/removed_route_still_deployed.diff",
    compares: true,
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let rewired = context.facts.changed_apis();
    rewired
        .iter()
        .flat_map(|rewired| check_api(context.model, rewired))
        .collect()
}

fn check_api(model: &Model, rewired: &ChangedApi<'_>) -> Option<Finding> {
    let deployment = new_deployment(rewired.api, rewired.before)?;
    let is_deleted = |route: &&Route| {
        let resource = &route.resource;
        let stays = model.resources.contains_key(&resource.logical_id);
        !resource.implied && !resource.retained && !stays
    };
    let deleted = rewired.before.routes.iter().filter(is_deleted);
    let deleted: Vec<_> = deleted.map(|route| format!("`{}`", route.key)).collect();
    let (first, others) = deleted.split_first()?;
    let others = match others.len() {
        0 => String::new(),
        1 => " and one more".to_owned(),
        count => format!(" and {count} more"),
    };
    let id = &deployment.resource.logical_id;
    let message = format!(
        "deployment {id} still holds route {first}{others}, which CloudFormation deletes only afterwards"
    );
    let location = Location::of(&deployment.resource, &[]);
    Some(Finding::new(&RULE, location, message).hint("deploy once more after this update"))
}

/// The deployment that this update makes and a stage will serve.
fn new_deployment<'a>(api: &'a Api, before: &Api) -> Option<&'a Deployment> {
    let id = |deployment: &Deployment| -> LogicalId { deployment.resource.logical_id.clone() };
    let old: HashSet<_> = before.deployments.iter().map(id).collect();
    let serving = ServedDeployments::of(api);
    api.deployments
        .iter()
        .find(|one| !old.contains(&one.resource.logical_id) && serving.stage(one).is_some())
}
