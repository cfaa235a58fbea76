use stackgen_model::{Link, Route};

use crate::context::Context;
use crate::facts::authorization::{Fault, Kind, fault, kind};
use crate::rule::rule;
use crate::{Finding, Place};

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

fn check(context: &Context<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    let off = routes.filter(|route| matches!(fault(context.model, route), Some(Fault::OffConnect)));
    off.map(of_route).collect()
}

fn of_route(route: &Route) -> Finding {
    let key = &route.key;
    let resource = &route.resource;
    let (says, path) = match (kind(route), &route.authorizer) {
        (Kind::Iam, _) => ("is authorized by `AWS_IAM`".to_owned(), "AuthorizationType"),
        (Kind::Custom, Link::To(id)) => (format!("is authorized by {id}"), "AuthorizationType"),
        (Kind::Custom, _) => ("is authorized by `CUSTOM`".to_owned(), "AuthorizationType"),
        (_, Link::To(id)) => (format!("names authorizer {id}"), "AuthorizerId"),
        _ => ("names an authorizer".to_owned(), "AuthorizerId"),
    };
    let message = format!("route `{key}` {says}, and a WebSocket API authorizes `$connect` only");
    Finding::new(&RULE, Place::of(resource, &[path]), message).hint(
        "authorize `$connect`, and set `AuthorizationType: NONE` here, without `AuthorizerId`",
    )
}
