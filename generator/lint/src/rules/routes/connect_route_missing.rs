use stackgen_model::Api;

use crate::context::RuleContext;
use crate::facts::connection_records::ConnectionRecords;
use crate::facts::presence::has_route;
use crate::facts::route_visibility::RouteVisibility;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An API whose stack records connections has no `$connect` route.
    ///
    /// ## Why it hurts
    ///
    /// Without a `$connect` route API Gateway accepts every handshake itself (row C2). No function sees the caller's
    /// headers and query string, which later events do not contain (row E2), nobody can be refused, and no record is
    /// written. Broadcasts miss connections that have not sent a message yet, and `$disconnect` finds no record to
    /// delete.
    ///
    /// ## How to fix it
    ///
    /// Add a `$connect` route with an integration whose function checks the caller, writes the record and returns
    /// `{"statusCode": 200}`. If a first message writes the record and anyone may connect until then, suppress this
    /// finding.
    id: "SG201",
    name: "connect-route-missing",
    severity: Warning,
    confidence: Medium,
    rows: ["C2", "E2"],
    fixable: false,
    example: "routes/connect_route_missing.diff",
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
    // If there is an authorizer, the rule about an open `$connect` reports it.
    if has_route(api, "$connect")
        || !api.authorizers.is_empty()
        || !visibility.shows_every_route(api)
    {
        return None;
    }
    let records = records.location(api)?;
    let resource = api.resource.as_ref()?;
    let id = &resource.logical_id;
    let message = format!(
        "API {id} has no `$connect` route: everyone can connect, and new connections are not recorded"
    );
    Some(
        Finding::new(&RULE, Location::of(resource, &[]), message)
            .related(records, "table for connections")
            .hint("add a `$connect` route whose function checks the caller and writes the record"),
    )
}
