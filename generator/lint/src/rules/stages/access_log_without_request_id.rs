use stackgen_model::{Stage, Text};

use crate::context::RuleContext;
use crate::facts::access_log;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The format of an access log contains neither `$context.requestId` nor `$context.extendedRequestId`.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway requires one of them in every format (row L2) and refuses the stage otherwise: `Access Log format
    /// must include either $context.requestId or $context.extendedRequestId`. Only this ID connects a line of the
    /// access log with the execution log and with the function's log.
    ///
    /// ## How to fix it
    ///
    /// Add `$context.requestId` to the format. `--fix` does this if the format is a JSON object.
    id: "SG408",
    name: "access-log-without-request-id",
    severity: Error,
    confidence: High,
    rows: ["L2"],
    fixable: true,
    example: "stages/access_log_without_request_id.diff",
}

const PATH: [&str; 2] = ["AccessLogSettings", "Format"];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let stages = context.websockets().flat_map(|api| &api.stages);
    stages.filter_map(check_stage).collect()
}

fn check_stage(stage: &Stage) -> Option<Finding> {
    let format = access_log::format(stage)?;
    let is_id = |name: &str| matches!(name, "requestId" | "extendedRequestId");
    if access_log::variables(format).any(is_id) {
        return None;
    }
    let id = &stage.resource.logical_id;
    let message = format!(
        "the access log of stage {id} contains neither `$context.requestId` nor `$context.extendedRequestId`"
    );
    let edit = with_id(stage, format).and_then(|with| fix::replace(&stage.resource, &PATH, with));
    Some(
        Finding::new(&RULE, Location::of(&stage.resource, &PATH), message)
            .hint("add `$context.requestId` to the format")
            .fix(Fix::one("add the request ID to the format", edit)),
    )
}

/// Returns the format with the ID as first member, if it is a JSON object in literal text.
fn with_id(stage: &Stage, format: &Text) -> Option<String> {
    let text = stage.resource.node(&PATH)?.as_str()?;
    let rest = text.trim_start().strip_prefix('{')?;
    let is_object = rest.trim_start().starts_with('"') && rest.trim_end().ends_with('}');
    let fits = format.as_literal() == Some(text) && is_object && !rest.contains("\"requestId\"");
    fits.then(|| {
        format!(
            "{{\"requestId\":\"$context.requestId\",{}",
            rest.trim_start()
        )
    })
}
