use stackgen_model::Api;

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A deployment belongs to an API without routes.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway only deploys an API with at least one route (row D3). The stack fails with `At least one route is
    /// required before deploying the Api`.
    ///
    /// ## How to fix it
    ///
    /// Add the routes to the template and to the deployment's `DependsOn`.
    id: "SG423",
    name: "deployment-without-routes",
    severity: Error,
    confidence: High,
    rows: ["D3"],
    fixable: false,
    example: "stages/deployment_without_routes.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let apis = context.websockets().filter(|api| context.is_complete(api));
    let bare = apis.filter(|api| api.routes.is_empty() && !api.deployments.is_empty());
    let bare: Vec<_> = bare.collect();
    if bare.is_empty() {
        return Vec::new();
    }
    // Another stack that receives the API's ID may create its routes before the deployment.
    let visibility = context.facts.route_visibility();
    let bare = bare.into_iter().filter(|api| !visibility.is_shared(api));
    bare.flat_map(check_api).collect()
}

fn check_api(api: &Api) -> impl Iterator<Item = Finding> {
    api.deployments.iter().map(|deployment| {
        let id = &deployment.resource.logical_id;
        let message = format!("deployment {id} cannot be created: its API has no routes");
        let location = Location::of(&deployment.resource, &["ApiId"]);
        Finding::new(&RULE, location, message).hint("add the API's routes to the template")
    })
}
