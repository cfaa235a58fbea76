use std::collections::HashSet;

use stackgen_model::{Api, Deployment, LogicalId, Model, Route};

use crate::context::RuleContext;
use crate::facts::changed_apis::ChangedApi;
use crate::facts::served_deployments::ServedDeployments;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route and the deployment that contained it are removed, but the new deployment still contains the route.
    ///
    /// ## Why it hurts
    ///
    /// CloudFormation creates the new deployment and updates the stage before it deletes, in its cleanup phase, what
    /// the template no longer contains. The new snapshot still contains the route, and clients can keep using it (row
    /// D20). Its function is called; if the function is deleted too, every message fails with an `Internal server
    /// error` frame (row M4).
    ///
    /// ## How to fix it
    ///
    /// Nothing in this update: deploy again after it, with another logical ID of the deployment or with `stackgen
    /// deploy --redeploy-stage`. Remove the function one update later than its route.
    ///
    /// This rule needs the earlier revision: `stackgen lint --previous old.yaml new.yaml`.
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
    let changed = context.facts.changed_apis();
    changed
        .iter()
        .flat_map(|changed| check_api(context.model, changed))
        .collect()
}

fn check_api(model: &Model, changed: &ChangedApi<'_>) -> Option<Finding> {
    let deployment = new_deployment(changed.api, changed.before)?;
    let is_deleted = |route: &&Route| {
        let resource = &route.resource;
        let stays = model.resources.contains_key(&resource.logical_id);
        !resource.implied && !resource.retained && !stays
    };
    let deleted = changed.before.routes.iter().filter(is_deleted);
    let deleted: Vec<_> = deleted.map(|route| format!("`{}`", route.key)).collect();
    let (first, others) = deleted.split_first()?;
    let others = match others.len() {
        0 => String::new(),
        1 => " and one more".to_owned(),
        count => format!(" and {count} more"),
    };
    let id = &deployment.resource.logical_id;
    let message = format!(
        "deployment {id} still contains route {first}{others}, which CloudFormation deletes only after it created the deployment"
    );
    let location = Location::of(&deployment.resource, &[]);
    Some(Finding::new(&RULE, location, message).hint("deploy again after this update"))
}

/// Returns the deployment that this update creates and a stage serves.
fn new_deployment<'a>(api: &'a Api, before: &Api) -> Option<&'a Deployment> {
    let id = |deployment: &Deployment| -> LogicalId { deployment.resource.logical_id.clone() };
    let old: HashSet<_> = before.deployments.iter().map(id).collect();
    let serving = ServedDeployments::of(api);
    api.deployments
        .iter()
        .find(|one| !old.contains(&one.resource.logical_id) && serving.stage(one).is_some())
}
