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
    /// The second one cannot be created (row D14): the deployment of the stack fails with 409 `ConflictException`, and is
    /// rolled back.
    ///
    /// ## How to fix it
    ///
    /// Keep one route for each key, or put the two under conditions of which one holds.
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
            let mut sometimes = finding(route, first).with_confidence(Confidence::Low);
            sometimes
                .message
                .push_str(&format!(" when condition {when} holds, which is not known"));
            findings.push(sometimes);
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
