use stackgen_model::{Resolved, Stage};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage writes whole messages to its execution log.
    ///
    /// ## Why it hurts
    ///
    /// With `DataTraceEnabled: true` the execution log contains what clients and functions send, truncated to 1,024
    /// bytes (row L4): personal data, and tokens in query strings. API Gateway creates the log group, which keeps them
    /// forever unless someone sets a retention. Every message causes several log events.
    ///
    /// ## How to fix it
    ///
    /// Disable it outside development. `LoggingLevel: ERROR` logs failures; metrics and the access log cover the rest.
    id: "SG414",
    name: "data-trace-enabled",
    severity: Note,
    confidence: High,
    rows: ["L4"],
    fixable: false,
    example: "stages/data_trace_enabled.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let stages = context.websockets().flat_map(|api| &api.stages);
    stages.flat_map(check_stage).collect()
}

fn check_stage(stage: &Stage) -> Vec<Finding> {
    let id = &stage.resource.logical_id;
    let finding = |path: &[&str], which: String| {
        let message = format!("stage {id} writes whole messages{which} to its execution log");
        let path = [path, &["DataTraceEnabled"]].concat();
        Finding::new(&RULE, Location::of(&stage.resource, &path), message)
            .hint("set `DataTraceEnabled: false` outside development")
    };
    let of_all = stage
        .default_route_settings
        .as_ref()
        .filter(|settings| logs_messages(settings));
    let of_all = of_all.map(|_| finding(&["DefaultRouteSettings"], String::new()));
    let routes = stage.route_settings.as_ref().and_then(Resolved::as_map);
    let routes = routes
        .into_iter()
        .flatten()
        .filter(|(_, settings)| logs_messages(settings));
    let of_routes =
        routes.map(|(key, _)| finding(&["RouteSettings", key], format!(" of route `{key}`")));
    of_all.into_iter().chain(of_routes).collect()
}

/// Returns true if messages are logged. Without a level there is no execution log.
fn logs_messages(settings: &Resolved) -> bool {
    let level = settings.get("LoggingLevel").and_then(Resolved::as_literal);
    let is_logged = level.is_some_and(|level| level != "OFF");
    is_logged && settings.bool("DataTraceEnabled").value() == Some(&true)
}
