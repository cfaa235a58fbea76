use std::collections::HashMap;

use stackgen_model::{Api, Route};

use crate::context::RuleContext;
use crate::facts::presence::{condition, known_key};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// Two routes of an API have the same key.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway refuses the second route with 409 `ConflictException` (row D14), and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Keep one route per key, or put the two under conditions of which only one can hold.
    id: "SG204",
    name: "duplicate-route-key",
    severity: Error,
    confidence: High,
    rows: ["D14"],
    fixable: false,
    example: "routes/duplicate_route_key.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().flat_map(check_api).collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    let mut taken: HashMap<(&str, Option<&str>), &Route> = HashMap::new();
    let mut findings = Vec::new();
    for route in &api.routes {
        let Some(key) = known_key(route) else {
            continue;
        };
        let when = condition(&route.resource);
        let first = *taken.entry((key, when)).or_insert(route);
        if first.resource.logical_id != route.resource.logical_id {
            findings.push(finding(route, first));
        } else if let (Some(when), Some(first)) = (when, taken.get(&(key, None))) {
            let mut conditional = finding(route, first).with_confidence(Confidence::Low);
            conditional
                .message
                .push_str(&format!(" if condition {when} is true, which is unknown"));
            findings.push(conditional);
        }
    }
    findings
}

fn finding(route: &Route, first: &Route) -> Finding {
    let ids = (&first.resource.logical_id, &route.resource.logical_id);
    let message = format!(
        "routes {} and {} both have the key `{}`",
        ids.0, ids.1, route.key
    );
    Finding::new(&RULE, Location::of(&route.resource, &["RouteKey"]), message)
        .related(Location::of(&first.resource, &["RouteKey"]), "the first")
        .hint("give it another key, or remove it")
}
