use stackgen_model::Api;

use crate::context::RuleContext;
use crate::facts::connection_records::ConnectionRecords;
use crate::facts::presence::has_route;
use crate::facts::route_visibility::RouteVisibility;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An API whose stack records connections has no `$disconnect` route.
    ///
    /// ## Why it hurts
    ///
    /// Nothing reports to the stack that a connection closed (row M18). Its record stays: every broadcast posts to it
    /// and gets 410 `GoneException` (row K4), and counts of connected clients and the table only grow. Time to live
    /// deletes the records hours or days later.
    ///
    /// ## How to fix it
    ///
    /// Add a `$disconnect` route with an integration whose function deletes the record. API Gateway delivers the event
    /// on a best-effort basis: let the record expire too, and delete it when a post returns 410.
    id: "SG202",
    name: "disconnect-route-missing",
    severity: Warning,
    confidence: Medium,
    rows: ["M18", "K4"],
    fixable: false,
    example: "routes/disconnect_route_missing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let visibility = context.facts.route_visibility();
    let records = context.facts.connection_records();
    let apis = context.websockets();
    apis.filter_map(|api| check_api(visibility, records, api))
        .collect()
}

fn check_api(
    visibility: &RouteVisibility<'_>,
    records: &ConnectionRecords<'_>,
    api: &Api,
) -> Option<Finding> {
    if has_route(api, "$disconnect") || !visibility.shows_every_route(api) {
        return None;
    }
    let records = records.location(api)?;
    let resource = api.resource.as_ref()?;
    let id = &resource.logical_id;
    let message =
        format!("API {id} has no `$disconnect` route: records of closed connections stay");
    Some(
        Finding::new(&RULE, Location::of(resource, &[]), message)
            .related(records, "table for connections")
            .hint("add a `$disconnect` route whose function deletes the record"),
    )
}
