use stackgen_model::{Authorizer, Resource, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{open_connect_routes, unattached_authorizers};
use crate::facts::presence::has_route;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `$connect` is open although the API has an authorizer.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway invokes an authorizer only for a `$connect` route whose `AuthorizationType` is `CUSTOM` and whose
    /// `AuthorizerId` names it (row A1). With `NONE`, without a type or without a `$connect` route (row C2), every
    /// handshake succeeds: events have no `requestContext.authorizer`, user IDs are empty, and callers without a valid
    /// token connect. Tests with valid tokens pass.
    ///
    /// ## How to fix it
    ///
    /// Set `AuthorizationType: CUSTOM` and `AuthorizerId` on the `$connect` route and redeploy: until then the stage
    /// serves the old wiring (row D1). If anonymous callers may connect, attach the authorizer without an identity
    /// source and let its function tell callers apart.
    id: "SG102",
    name: "connect-open-beside-authorizer",
    severity: Error,
    confidence: High,
    rows: ["A1", "C2", "D1"],
    fixable: false,
    example: "authorizers/connect_open_beside_authorizer.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let visibility = context.facts.route_visibility();
    let open = context.websockets().filter_map(|api| {
        let Some((routes, authorizer)) = open_connect_routes(&context.facts, api) else {
            let without = visibility.shows_every_route(api) && !has_route(api, "$connect");
            let idle = unattached_authorizers(&context.facts, api)
                .next()
                .filter(|_| without)?;
            return Some(vec![api_finding(api.resource.as_ref()?, idle)]);
        };
        let findings = routes
            .into_iter()
            .map(|route| route_finding(route, authorizer));
        Some(findings.collect::<Vec<_>>())
    });
    open.flatten().collect()
}

fn api_finding(api: &Resource, authorizer: &Authorizer) -> Finding {
    let (api_id, id) = (&api.logical_id, &authorizer.resource.logical_id);
    let message = format!(
        "API {api_id} has no `$connect` route: everyone can connect, and authorizer {id} is never invoked"
    );
    Finding::new(&RULE, Location::of(api, &[]), message)
        .related(Location::of(&authorizer.resource, &[]), "the authorizer")
        .hint(format!(
            "add a `$connect` route with `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref {id}`"
        ))
}

fn route_finding(route: &Route, authorizer: &Authorizer) -> Finding {
    let id = &authorizer.resource.logical_id;
    let location = Location::of(&route.resource, &["AuthorizationType"]);
    let message = format!("`$connect` is open, and authorizer {id} is never invoked");
    let finding = Finding::new(&RULE, location, message)
        .related(Location::of(&authorizer.resource, &[]), "the authorizer")
        .hint(hint(route, authorizer));
    // A condition or a parameter may close the route, or select another one.
    let condition = settings::condition(&route.resource);
    let apart = condition.is_some() && condition != settings::condition(&authorizer.resource);
    match apart || settings::is_computed(&route.resource, &["AuthorizationType"]) {
        true => settings::unless_overridden(finding),
        false => finding,
    }
}

fn hint(route: &Route, authorizer: &Authorizer) -> String {
    match settings::is_generated(&route.resource) {
        true => {
            "set `Auth` of the API to `AuthType: CUSTOM` and `AuthArn`: SAM creates the authorizer"
                .to_owned()
        }
        false => format!(
            "set `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref {}`",
            authorizer.resource.logical_id
        ),
    }
}
