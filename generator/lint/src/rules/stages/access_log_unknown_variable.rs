use stackgen_model::Stage;

use crate::context::RuleContext;
use crate::facts::access_log;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The format of an access log contains variables that WebSocket APIs do not have.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway logs a variable that an API does not have as `-`, without an error (row L1). `$context.httpMethod`,
    /// `$context.path` and `$context.protocol` belong to HTTP and REST APIs. A format that was copied from one, such as
    /// CDK's `AccessLogFormat.clf()`, shows neither the route nor the connection of a line. Close codes are not in the
    /// access log: only `$disconnect` events contain them.
    ///
    /// ## How to fix it
    ///
    /// Log variables of WebSocket APIs: `$context.eventType`, `$context.routeKey`, `$context.connectionId`,
    /// `$context.status`, `$context.error.message`. Log `disconnectStatusCode` and `disconnectReason` in the function
    /// of `$disconnect`.
    id: "SG409",
    name: "access-log-unknown-variable",
    severity: Warning,
    confidence: Medium,
    rows: ["L1", "E3"],
    fixable: false,
    example: "stages/access_log_unknown_variable.diff",
}

/// Variables of other API types, and fields of the `$disconnect` event.
const FOREIGN: &[&str] = &[
    "dataProcessed",
    "disconnectReason",
    "disconnectStatusCode",
    "httpMethod",
    "path",
    "protocol",
    "resourceId",
    "resourcePath",
    "responseLatency",
    "responseLength",
    "wafResponseCode",
    "webaclArn",
];

/// Variables that are easily misspelled in upper and lower case. Request IDs have a rule of their own, and variables in
/// neither list may be right.
const OWN: &[&str] = &[
    "apiId",
    "connectedAt",
    "connectionId",
    "domainName",
    "eventType",
    "integrationLatency",
    "messageId",
    "requestTime",
    "requestTimeEpoch",
    "routeKey",
    "stage",
    "status",
    "identity.sourceIp",
    "identity.userAgent",
    "authorizer.principalId",
    "error.message",
    "error.messageString",
    "error.responseType",
    "error.validationErrorString",
];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let stages = context.websockets().flat_map(|api| &api.stages);
    stages.filter_map(check_stage).collect()
}

fn check_stage(stage: &Stage) -> Option<Finding> {
    let format = access_log::format(stage)?;
    let mut names: Vec<_> = access_log::variables(format)
        .filter(|name| FOREIGN.contains(name) || correct_spelling(name).is_some())
        .collect();
    names.sort_unstable();
    names.dedup();
    let hint = hint(&names);
    let shown: Vec<_> = names
        .iter()
        .map(|name| format!("`$context.{name}`"))
        .collect();
    let (last, others) = shown.split_last()?;
    let shown = match others {
        [] => format!("{last}, which WebSocket APIs do not have"),
        others => format!(
            "{} and {last}, which WebSocket APIs do not have",
            others.join(", ")
        ),
    };
    let id = &stage.resource.logical_id;
    let message = format!("the access log of stage {id} contains {shown}");
    let location = Location::of(&stage.resource, &["AccessLogSettings", "Format"]);
    Some(Finding::new(&RULE, location, message).hint(hint))
}

/// Returns what to write instead of each variable.
fn hint(names: &[&str]) -> String {
    let instead =
        "log `$context.eventType`, `$context.routeKey` and `$context.connectionId` instead";
    let (known, unknown): (Vec<&str>, Vec<&str>) = names
        .iter()
        .partition(|name| correct_spelling(name).is_some());
    let corrections = known.iter().filter_map(|name| {
        let correct = correct_spelling(name)?;
        Some(format!("`$context.{correct}` instead of `$context.{name}`"))
    });
    let corrections = corrections.collect::<Vec<_>>().join(", ");
    let removals: Vec<_> = unknown
        .iter()
        .map(|name| format!("`$context.{name}`"))
        .collect();
    match (known.is_empty(), removals.is_empty()) {
        (true, _) => instead.to_owned(),
        (false, true) => format!("write {corrections}"),
        (false, false) => format!("write {corrections}, and remove {}", removals.join(", ")),
    }
}

/// Returns the variable that differs from a name only in upper and lower case.
fn correct_spelling(name: &str) -> Option<&'static str> {
    let mut own = OWN.iter().copied();
    own.find(|own| own.eq_ignore_ascii_case(name) && *own != name)
}
