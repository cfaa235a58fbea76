use stackgen_model::{Link, Route};

use crate::context::RuleContext;
use crate::facts::authorization::{
    AuthorizationFault, AuthorizationKind, authorization_fault, authorization_kind,
};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route other than `$connect` is to be authorized.
    ///
    /// ## Why it hurts
    ///
    /// A WebSocket API authorizes once, at the handshake (row A1). A message route with `CUSTOM` or `AWS_IAM` is refused
    /// with `Currently, authorization is restricted to the $connect route only`; an `AuthorizerId` beside `NONE` is taken
    /// and never looked at. What the authorizer of `$connect` found comes along with every later message in
    /// `requestContext.authorizer` (row A10).
    ///
    /// ## How to fix it
    ///
    /// Put the authorizer on `$connect` and give this route `AuthorizationType: NONE`. Where messages need rights of their
    /// own, let the authorizer return them in its context and have the function check them.
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
    let (says, path) = match (authorization_kind(route), &route.authorizer) {
        (AuthorizationKind::Iam, _) => {
            ("is authorized by `AWS_IAM`".to_owned(), "AuthorizationType")
        }
        (AuthorizationKind::Custom, Link::To(id)) => {
            (format!("is authorized by {id}"), "AuthorizationType")
        }
        (AuthorizationKind::Custom, _) => {
            ("is authorized by `CUSTOM`".to_owned(), "AuthorizationType")
        }
        (_, Link::To(id)) => (format!("names authorizer {id}"), "AuthorizerId"),
        _ => ("names an authorizer".to_owned(), "AuthorizerId"),
    };
    let message = format!("route `{key}` {says}, and a WebSocket API authorizes `$connect` only");
    Finding::new(&RULE, Location::of(resource, &[path]), message).hint(
        "authorize `$connect`, and set `AuthorizationType: NONE` here, without `AuthorizerId`",
    )
}
