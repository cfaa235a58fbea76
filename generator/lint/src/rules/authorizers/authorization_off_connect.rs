use stackgen_model::{Link, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{
    AuthorizationFault, AuthorizationKind, authorization_fault, authorization_kind,
};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route other than `$connect` has an authorizer.
    ///
    /// ## Why it hurts
    ///
    /// A WebSocket API authorizes once, at the handshake (row A1). API Gateway refuses `CUSTOM` or `AWS_IAM` on any
    /// other route with `Currently, authorization is restricted to the $connect route only`. It accepts and ignores an
    /// `AuthorizerId` next to `NONE`. The output of the authorizer of `$connect` is in `requestContext.authorizer` of
    /// every later message (row A10).
    ///
    /// ## How to fix it
    ///
    /// Attach the authorizer to `$connect` and set `AuthorizationType: NONE` on this route. To authorize single
    /// messages, let the authorizer return permissions in its context and check them in the function.
    id: "SG106",
    name: "authorization-off-connect",
    severity: Error,
    confidence: High,
    rows: ["A1", "A10", "F2"],
    fixable: false,
    example: "authorizers/authorization_off_connect.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    let off = routes.filter(|route| {
        matches!(
            authorization_fault(context.model, route),
            Some(AuthorizationFault::OffConnect)
        )
    });
    off.map(route_finding).collect()
}

fn route_finding(route: &Route) -> Finding {
    let key = &route.key;
    let resource = &route.resource;
    let (has, path) = match (authorization_kind(route), &route.authorizer) {
        (AuthorizationKind::Iam, _) => (
            "has authorization `AWS_IAM`".to_owned(),
            "AuthorizationType",
        ),
        (AuthorizationKind::Custom, Link::To(id)) => {
            (format!("has authorizer {id}"), "AuthorizationType")
        }
        (AuthorizationKind::Custom, _) => {
            ("has authorization `CUSTOM`".to_owned(), "AuthorizationType")
        }
        (_, Link::To(id)) => (format!("names authorizer {id}"), "AuthorizerId"),
        _ => ("names an authorizer".to_owned(), "AuthorizerId"),
    };
    let message = format!("route `{key}` {has}, but a WebSocket API authorizes only `$connect`");
    Finding::new(&RULE, Location::of(resource, &[path]), message)
        .hint("authorize `$connect`; set `AuthorizationType: NONE` here and remove `AuthorizerId`")
}
