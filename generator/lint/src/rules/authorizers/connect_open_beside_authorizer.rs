use stackgen_model::{Authorizer, Resource, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{open_connect_routes, unattached_authorizers};
use crate::facts::presence::has_route;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `$connect` is open to everybody although the API has an authorizer.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway invokes an authorizer only for a `$connect` route whose `AuthorizationType` is `CUSTOM` and whose
    /// `AuthorizerId` names it (row A1). With `NONE`, with nothing written, or without a `$connect` route (row C2), every
    /// handshake is let through: functions
    /// get no `requestContext.authorizer`, user ids are empty, and whoever should have been refused is connected.
    /// Nothing fails, so that tests with good tokens pass.
    ///
    /// ## How to fix it
    ///
    /// Set `AuthorizationType: CUSTOM` and `AuthorizerId` on the `$connect` route, and create a new deployment: the stage
    /// serves the old wiring until then (row D1). Where callers without a token are welcome, attach the authorizer all
    /// the same, without an identity source, and let its function tell callers apart.
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
        "API {api_id} has no `$connect` route: everybody is let in, and authorizer {id} is never invoked"
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
    let message = format!("`$connect` lets everybody in, and authorizer {id} is never invoked");
    let finding = Finding::new(&RULE, location, message)
        .related(Location::of(&authorizer.resource, &[]), "the authorizer")
        .hint(hint(route, authorizer));
    // What hangs on a condition or a parameter may be closed where it matters, or have a twin that is left out.
    let condition = settings::condition(&route.resource);
    let apart = condition.is_some() && condition != settings::condition(&authorizer.resource);
    match apart || settings::is_computed(&route.resource, &["AuthorizationType"]) {
        true => settings::unless_overridden(finding),
        false => finding,
    }
}

fn hint(route: &Route, authorizer: &Authorizer) -> String {
    match settings::is_generated(&route.resource) {
        true => "give the API `Auth` with `AuthType: CUSTOM` and the function's ARN as `AuthArn`: SAM makes the \
                 authorizer"
            .to_owned(),
        false => format!(
            "set `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref {}`",
            authorizer.resource.logical_id
        ),
    }
}
