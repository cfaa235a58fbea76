use stackgen_model::{Api, Route};

use crate::context::RuleContext;
use crate::facts::presence::custom_key;
use crate::facts::selection_expression::SelectionExpression;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route of a WebSocket API has the key of an HTTP API: a method and a path.
    ///
    /// ## Why it hurts
    ///
    /// Messages have no method and no path. A WebSocket API compares the whole key with the value that its selection
    /// expression reads from the message (row M1). Only a client that sends the text `GET /sessions` as its action
    /// reaches this route. Every other message goes to `$default` or is answered with a `Forbidden` frame (rows M2,
    /// M3).
    ///
    /// ## How to fix it
    ///
    /// Set the key to the value that clients send, such as `getSession`, or move the route to an HTTP API.
    id: "SG206",
    name: "http-route-key",
    severity: Warning,
    confidence: Medium,
    rows: ["M1", "M2", "M3"],
    fixable: false,
    example: "routes/http_route_key.diff",
}

const METHODS: &[&str] = &[
    "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().flat_map(check_api).collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    // An expression of several variables may build such keys on purpose.
    let composed = |selection: SelectionExpression<'_>| selection.variables.len() > 1;
    if SelectionExpression::of_api(api).is_some_and(composed) {
        return Vec::new();
    }
    api.routes.iter().filter_map(check_route).collect()
}

fn check_route(route: &Route) -> Option<Finding> {
    let key = custom_key(route)?;
    let (method, path) = key.split_once(' ')?;
    if !METHODS.contains(&method) || !path.starts_with('/') {
        return None;
    }
    let message =
        format!("`{key}` is a route key of HTTP APIs, but messages have no method and no path");
    let location = Location::of(&route.resource, &["RouteKey"]);
    let finding = Finding::new(&RULE, location, message);
    Some(finding.hint("write the value with which messages select this route"))
}
