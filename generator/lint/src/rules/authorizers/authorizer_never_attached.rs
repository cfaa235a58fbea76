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
    /// An authorizer is created and no route names it.
    ///
    /// ## Why it hurts
    ///
    /// An authorizer is invoked only for a `$connect` route that names it by `AuthorizerId` (row A1). Nothing fails: the
    /// authorizer shows up in the console, its function is never called, and whoever reads the template believes that
    /// callers are checked by it.
    ///
    /// ## How to fix it
    ///
    /// Name it on the `$connect` route, `AuthorizationType: CUSTOM` and `AuthorizerId`, or remove the authorizer together
    /// with its function and permission. It also counts against the quota of 10 authorizers an API (row L6). A
    /// `$connect` route that is open beside an authorizer is told by `connect-open-beside-authorizer`.
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
    // Without a `$connect` route, or with an open one, the API is open: that is more than an authorizer too many.
    let mut routes = api.routes.iter();
    let Some(connect) = routes.find(|route| route.key.is_connect()) else {
        return Vec::new();
    };
    let idle: Vec<_> = unattached_authorizers(&context.facts, api).collect();
    if idle.is_empty() || open_connect_routes(&context.facts, api).is_some() {
        return Vec::new();
    }
    // A route whose authorizer is not known, or that is authorized wrongly, may be the one that is meant.
    let is_spoken_for = api.routes.iter().any(|route| {
        matches!(route.authorizer, Link::Unknown(_))
            || authorization_kind(route) == AuthorizationKind::Other
            || authorization_fault(context.model, route).is_some()
            || removed_type(&context.facts, route).is_some()
    });
    if is_spoken_for {
        return Vec::new();
    }
    // Of two with one name the second cannot be made, let alone attached.
    let namesakes = same_name_pairs(api);
    let second: HashSet<_> = namesakes
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
    let message = format!("authorizer {id} is created and no route names it");
    let label = match authorization_kind(connect) {
        AuthorizationKind::Iam => "`$connect` is authorized by IAM",
        _ => "`$connect` is authorized by another",
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
