use stackgen_model::{Resolved, RouteResponse};

use crate::context::RuleContext;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route response has a key other than `$default`.
    ///
    /// ## Why it hurts
    ///
    /// There is no other key (row F5). API Gateway refuses the route response with `Currently, only $default is
    /// supported as a RouteResponseKey.`, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Write `RouteResponseKey: $default`, as `--fix` does. To distinguish responses by status, use integration
    /// responses.
    id: "SG216",
    name: "route-response-key-not-default",
    severity: Error,
    confidence: High,
    rows: ["F5"],
    fixable: true,
    example: "routes/route_response_key_not_default.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    let responses = routes.flat_map(|route| &route.responses);
    responses.filter_map(check_response).collect()
}

fn check_response(response: &RouteResponse) -> Option<Finding> {
    let path = ["RouteResponseKey"];
    let key = response
        .resource
        .properties
        .get(path[0])
        .and_then(Resolved::to_text)?;
    let key = key.as_literal().filter(|&key| key != "$default")?;
    let id = &response.resource.logical_id;
    let message =
        format!("route response {id} has the key `{key}`, but the only valid key is `$default`");
    let edit = fix::replace(&response.resource, &path, "$default");
    let finding = Finding::new(&RULE, Location::of(&response.resource, &path), message)
        .hint("write `$default`")
        .fix(Fix::one("write the key as `$default`", edit));
    Some(finding)
}
