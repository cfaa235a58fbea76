use stackgen_model::{Api, Link, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{
    AuthorizationKind, authorization_fault, authorization_kind, removed_type,
};
use crate::facts::settings;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// `$connect` does not say how it is authorized.
    ///
    /// ## Why it hurts
    ///
    /// A new route without `AuthorizationType` is open. A route that had an authorizer keeps it: CloudFormation leaves what
    /// the template no longer mentions, the update succeeds, and the template and the API differ from then on (section 6 of
    /// the reference). Whoever reads the template cannot tell which it is.
    ///
    /// ## How to fix it
    ///
    /// Write `AuthorizationType: NONE` where everybody may connect. `--fix` does where the template has no authorizer for
    /// the API.
    id: "SG119",
    name: "authorization-type-left-out",
    severity: Note,
    confidence: High,
    rows: ["F2"],
    fixable: true,
    example: "authorizers/authorization_type_left_out.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let of_api = |api: &'_ Api| {
        // With an authorizer at hand, an open `$connect` is more than untold.
        let is_alone = api.authorizers.is_empty();
        let routes = api
            .routes
            .iter()
            .filter(|route| is_alone && is_untold(context, route));
        routes
            .map(|route| route_finding(route, context.is_complete(api)))
            .collect::<Vec<_>>()
    };
    context.websockets().flat_map(of_api).collect()
}

/// Only `$connect` can have been authorized, and what SAM makes is not the author's to complete.
fn is_untold(context: &RuleContext<'_>, route: &Route) -> bool {
    route.key.is_connect()
        && authorization_kind(route) == AuthorizationKind::LeftOut
        && route.authorizer == Link::Missing
        && authorization_fault(context.model, route).is_none()
        && removed_type(&context.facts, route).is_none()
        && !settings::is_generated(&route.resource)
}

fn route_finding(route: &Route, whole: bool) -> Finding {
    let edit = whole
        .then(|| fix::insert(&route.resource, &[], "AuthorizationType", "NONE"))
        .flatten();
    let message =
        "`$connect` has no `AuthorizationType`: it is open, or keeps the authorizer that it had";
    Finding::new(&RULE, Location::of(&route.resource, &[]), message)
        .hint("write `AuthorizationType: NONE` if everybody may connect")
        .fix(Fix::one("write `AuthorizationType: NONE`", edit))
}
