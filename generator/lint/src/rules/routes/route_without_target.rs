use stackgen_model::{Link, Route};

use crate::context::RuleContext;
use crate::facts::presence::known_key;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A route has no integration.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway creates a route without `Target`, but it does nothing (row F2): its messages reach no function. On
    /// `$connect` no caller is checked or recorded, and on other routes no message is answered.
    ///
    /// ## How to fix it
    ///
    /// Set `Target: !Sub integrations/${Integration}`, or remove the route, so that its messages go to `$default`.
    id: "SG207",
    name: "route-without-target",
    severity: Error,
    confidence: High,
    rows: ["F2"],
    fixable: false,
    example: "routes/route_without_target.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let routes = context.websockets().flat_map(|api| &api.routes);
    routes.filter_map(check_route).collect()
}

fn check_route(route: &Route) -> Option<Finding> {
    // Properties that are partly unknown have no known key either.
    let key = known_key(route).filter(|_| route.target == Link::Missing)?;
    let message = format!("route `{key}` has no `Target`: its messages reach no integration");
    let location = Location::of(&route.resource, &["Target"]);
    let finding = Finding::new(&RULE, location, message);
    Some(finding.hint("set `Target: !Sub integrations/${…}` with the integration's logical ID"))
}
