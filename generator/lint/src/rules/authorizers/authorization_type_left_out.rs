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
    /// `$connect` has no `AuthorizationType`.
    ///
    /// ## Why it hurts
    ///
    /// A new route without `AuthorizationType` is open. A route that had an authorizer keeps it: CloudFormation does
    /// not reset properties that the template no longer sets, the update succeeds, and from then on the template and
    /// the API differ (section 6 of the reference). The template alone does not show which is the case.
    ///
    /// ## How to fix it
    ///
    /// Write `AuthorizationType: NONE` if everyone may connect. `--fix` does this if the template has no authorizer for
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
        // With an authorizer in the template, another rule reports the open `$connect`.
        let is_alone = api.authorizers.is_empty();
        let routes = api
            .routes
            .iter()
            .filter(|route| is_alone && lacks_type(context, route));
        routes
            .map(|route| route_finding(route, context.is_complete(api)))
            .collect::<Vec<_>>()
    };
    context.websockets().flat_map(of_api).collect()
}

/// Only `$connect` can have an authorizer, and the author cannot complete a route that SAM generates.
fn lacks_type(context: &RuleContext<'_>, route: &Route) -> bool {
    route.key.is_connect()
        && authorization_kind(route) == AuthorizationKind::LeftOut
        && route.authorizer == Link::Missing
        && authorization_fault(context.model, route).is_none()
        && removed_type(&context.facts, route).is_none()
        && !settings::is_generated(&route.resource)
}

fn route_finding(route: &Route, is_complete: bool) -> Finding {
    let edit = is_complete
        .then(|| fix::insert(&route.resource, &[], "AuthorizationType", "NONE"))
        .flatten();
    let message =
        "`$connect` has no `AuthorizationType`: it is open or keeps an earlier authorizer";
    Finding::new(&RULE, Location::of(&route.resource, &[]), message)
        .hint("write `AuthorizationType: NONE` if everyone may connect")
        .fix(Fix::one("write `AuthorizationType: NONE`", edit))
}
