use stackgen_model::{Resolved, Route};

use crate::context::RuleContext;
use crate::facts::presence::known_key;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route other than `$connect` has `RequestParameters`.
    ///
    /// ## Why it hurts
    ///
    /// Only the handshake has headers and a query string; a message has neither (row E2). API Gateway refuses the
    /// route, and the stack rolls back (row M9). SAM refuses the template before that: `Request parameters are only
    /// supported for the $connect route in WebSocket APIs.`
    ///
    /// ## How to fix it
    ///
    /// Remove them, as `--fix` does. Require them on `$connect`, and check the content of messages in the function or
    /// with a model.
    id: "SG212",
    name: "request-parameters-off-connect",
    severity: Error,
    confidence: High,
    rows: ["M9", "E2"],
    fixable: true,
    example: "routes/request_parameters_off_connect.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    routes.filter_map(check_route).collect()
}

fn check_route(route: &Route) -> Option<Finding> {
    let key = known_key(route).filter(|_| !route.key.is_connect())?;
    let parameters = route.resource.properties.get("RequestParameters");
    let parameters = parameters.and_then(Resolved::as_map)?;
    let first = parameters.keys().next()?;
    let path = ["RequestParameters"];
    let message = format!(
        "route `{key}` has the request parameter `{first}`, but only `$connect` can have parameters"
    );
    let edit = fix::remove(&route.resource, &path);
    let finding = Finding::new(&RULE, Location::of(&route.resource, &path), message)
        .hint("remove `RequestParameters`: messages have no headers and no query string")
        .fix(Fix::one("remove `RequestParameters`", edit));
    Some(finding)
}
