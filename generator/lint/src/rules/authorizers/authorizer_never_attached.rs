use std::collections::HashSet;

use stackgen_model::{Api, Authorizer, Link, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{
    AuthorizationKind, authorization_fault, authorization_kind, open_connect_routes, removed_type,
    same_name_pairs, unattached_authorizers,
};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// No route uses an authorizer.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway invokes an authorizer only for a `$connect` route that names it in `AuthorizerId` (row A1). Nothing
    /// fails: the authorizer appears in the console and its function is never called, while the template suggests that
    /// it checks callers.
    ///
    /// ## How to fix it
    ///
    /// Name it on the `$connect` route with `AuthorizationType: CUSTOM` and `AuthorizerId`, or remove the authorizer
    /// with its function and permission. It also counts toward the quota of 10 authorizers per API (row L6). If
    /// `$connect` is open, `connect-open-beside-authorizer` reports that instead.
    id: "SG101",
    name: "authorizer-never-attached",
    severity: Warning,
    confidence: High,
    rows: ["A1", "L6"],
    fixable: false,
    example: "authorizers/authorizer_never_attached.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let visibility = context.facts.route_visibility();
    let apis = context
        .websockets()
        .filter(|api| visibility.shows_every_route(api));
    apis.flat_map(|api| check_api(context, api)).collect()
}

fn check_api(context: &RuleContext<'_>, api: &Api) -> Vec<Finding> {
    // Without a `$connect` route, or with an open one, the API is open, which another rule reports.
    let mut routes = api.routes.iter();
    let Some(connect) = routes.find(|route| route.key.is_connect()) else {
        return Vec::new();
    };
    let idle: Vec<_> = unattached_authorizers(&context.facts, api).collect();
    if idle.is_empty() || open_connect_routes(&context.facts, api).is_some() {
        return Vec::new();
    }
    // A route with an unknown or a wrong authorizer may be intended to use this one.
    let may_be_attached = api.routes.iter().any(|route| {
        matches!(route.authorizer, Link::Unknown(_))
            || authorization_kind(route) == AuthorizationKind::Other
            || authorization_fault(context.model, route).is_some()
            || removed_type(&context.facts, route).is_some()
    });
    if may_be_attached {
        return Vec::new();
    }
    // Of two authorizers with the same name the second cannot be created, which another rule reports.
    let pairs = same_name_pairs(api);
    let second: HashSet<_> = pairs
        .iter()
        .map(|(_, second)| &second.resource.logical_id)
        .collect();
    idle.into_iter()
        .filter(|authorizer| !second.contains(&authorizer.resource.logical_id))
        .map(|authorizer| authorizer_finding(connect, authorizer))
        .collect()
}

fn authorizer_finding(connect: &Route, authorizer: &Authorizer) -> Finding {
    let id = &authorizer.resource.logical_id;
    let location = Location::of(&authorizer.resource, &[]);
    let message = format!("no route uses authorizer {id}");
    let label = match authorization_kind(connect) {
        AuthorizationKind::Iam => "`$connect` uses IAM",
        _ => "`$connect` uses another one",
    };
    Finding::new(&RULE, location, message)
        .related(
            Location::of(&connect.resource, &["AuthorizationType"]),
            label,
        )
        .hint(format!(
            "set `AuthorizerId: !Ref {id}` on `$connect`, or remove {id}"
        ))
}
