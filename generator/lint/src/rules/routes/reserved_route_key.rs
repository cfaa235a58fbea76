use stackgen_model::Route;

use crate::context::RuleContext;
use crate::facts::presence::custom_key;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route key begins with `$` but is not one of API Gateway's own.
    ///
    /// ## Why it hurts
    ///
    /// `$` is reserved for `$connect`, `$disconnect` and `$default` (row F2). API Gateway refuses the route with 400
    /// `BadRequestException`, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Remove the `$`, or correct the spelling: keys are case-sensitive, so `$Default` is not `$default`.
    id: "SG205",
    name: "reserved-route-key",
    severity: Error,
    confidence: High,
    rows: ["F2"],
    fixable: false,
    example: "routes/reserved_route_key.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    routes.filter_map(check_route).collect()
}

fn check_route(route: &Route) -> Option<Finding> {
    let key = custom_key(route)?;
    let rest = key.strip_prefix('$')?;
    let own = ["$connect", "$disconnect", "$default"];
    let correct = own.iter().find(|own| own.eq_ignore_ascii_case(key));
    let hint = match correct {
        Some(correct) => format!("write `{correct}`"),
        None => format!("write `{rest}`, and let clients send this value"),
    };
    let message =
        format!("`{key}` is not a valid route key: only API Gateway's own keys begin with `$`");
    let location = Location::of(&route.resource, &["RouteKey"]);
    Some(Finding::new(&RULE, location, message).hint(hint))
}
