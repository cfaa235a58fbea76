use stackgen_model::Route;

use crate::context::RuleContext;
use crate::facts::presence::custom_key;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route key begins with `$` and is none of API Gateway's own.
    ///
    /// ## Why it hurts
    ///
    /// `$` is reserved for `$connect`, `$disconnect` and `$default` (row F2). The route is refused with 400
    /// `BadRequestException`, and the deployment of the stack fails.
    ///
    /// ## How to fix it
    ///
    /// Take the `$` away, or correct the spelling: keys are case-sensitive, and `$Default` is not `$default`.
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
    let meant = own.iter().find(|own| own.eq_ignore_ascii_case(key));
    let hint = match meant {
        Some(meant) => format!("write `{meant}`"),
        None => format!("write `{rest}`, and let clients send it so"),
    };
    let message = format!("`{key}` is no route key: only API Gateway's own begin with `$`");
    let location = Location::of(&route.resource, &["RouteKey"]);
    Some(Finding::new(&RULE, location, message).hint(hint))
}
