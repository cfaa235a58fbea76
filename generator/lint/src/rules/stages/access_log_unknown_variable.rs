use stackgen_model::Stage;

use crate::context::RuleContext;
use crate::facts::access_log;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The format of an access log names variables that WebSocket APIs do not have.
    ///
    /// ## Why it hurts
    ///
    /// A variable that an API does not have is logged as `-`, without an error (row L1). `$context.httpMethod`,
    /// `$context.path`, `$context.protocol` and their like belong to HTTP and REST APIs; a format that was taken from
    /// one, CDK's `AccessLogFormat.clf()` among them, tells neither the route nor the connection of a line. Close
    /// codes are not in the access log at all: `$disconnect` events alone have them.
    ///
    /// ## How to fix it
    ///
    /// Log what a WebSocket API has instead: `$context.eventType`, `$context.routeKey`, `$context.connectionId`,
    /// `$context.status`, `$context.error.message`. Log `disconnectStatusCode` and `disconnectReason` in the function
    /// behind `$disconnect`.
    id: "SG409",
    name: "access-log-unknown-variable",
    severity: Warning,
    confidence: Medium,
    rows: ["L1", "E3"],
    fixable: false,
    example: "stages/access_log_unknown_variable.diff",
}

/// What other kinds of API have, and what the `$disconnect` event has.
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

/// What is easily written with another capital; a format without a request id is told of as that. Variables that are in
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
        .filter(|name| FOREIGN.contains(name) || meant(name).is_some())
        .collect();
    names.sort_unstable();
    names.dedup();
    let corrections = names.iter().filter_map(|name| meant(name));
    let corrections: Vec<_> = corrections
        .map(|name| format!("`$context.{name}`"))
        .collect();
    let hint = match corrections.is_empty() {
        true => "log `$context.eventType`, `$context.routeKey` and `$context.connectionId` instead"
            .to_owned(),
        false => format!("write {}", corrections.join(", ")),
    };
    let shown: Vec<_> = names
        .iter()
        .map(|name| format!("`$context.{name}`"))
        .collect();
    let (last, others) = shown.split_last()?;
    let shown = match others {
        [] => format!("{last}, which a WebSocket API does not have"),
        others => format!(
            "{} and {last}, which a WebSocket API does not have",
            others.join(", ")
        ),
    };
    let id = &stage.resource.logical_id;
    let message = format!("the access log of stage {id} logs {shown}");
    let location = Location::of(&stage.resource, &["AccessLogSettings", "Format"]);
    Some(Finding::new(&RULE, location, message).hint(hint))
}

/// The variable that differs from this name in capitals alone.
fn meant(name: &str) -> Option<&'static str> {
    let mut own = OWN.iter().copied();
    own.find(|own| own.eq_ignore_ascii_case(name) && *own != name)
}
