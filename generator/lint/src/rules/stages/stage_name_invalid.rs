use stackgen_model::{Stage, Text};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// The name of a stage contains characters that API Gateway does not allow.
    ///
    /// ## Why it hurts
    ///
    /// A stage's name is part of its URL, of the ARNs in policies and permissions, and of the management endpoint. It
    /// consists of at most 128 letters, digits, `-` and `_`. API Gateway refuses any other name, and the stack fails.
    /// `$default` names an HTTP API's stage without a path: no AWS documentation mentions it for WebSocket APIs, and
    /// reports differ about whether it works there.
    ///
    /// ## How to fix it
    ///
    /// Choose another name, such as `prod` or `v1`. A custom domain hides it from clients (row L8).
    id: "SG421",
    name: "stage-name-invalid",
    severity: Error,
    confidence: Medium,
    rows: ["F8", "L8"],
    fixable: false,
    example: "stages/stage_name_invalid.diff",
}

const MAX_LENGTH: usize = 128;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let stages = context.websockets().flat_map(|api| &api.stages);
    stages.filter_map(check_stage).collect()
}

fn check_stage(stage: &Stage) -> Option<Finding> {
    let name = stage.name.as_ref().and_then(Text::as_literal)?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let problem = match name.chars().find(|c| !is_allowed(*c)) {
        _ if name == "$default" => "which is documented only for HTTP APIs".to_owned(),
        _ if name.is_empty() => "which is empty".to_owned(),
        _ if name.len() > MAX_LENGTH => format!("which is longer than {MAX_LENGTH} characters"),
        Some(c) => format!("which contains `{}`", c.escape_debug()),
        None => return None,
    };
    let confidence = match name {
        "$default" => Confidence::Low,
        _ => Confidence::Medium,
    };
    let id = &stage.resource.logical_id;
    let message = format!("stage {id} has the name `{name}`, {problem}");
    Some(
        Finding::new(
            &RULE,
            Location::of(&stage.resource, &["StageName"]),
            message,
        )
        .hint("use letters, digits, `-` and `_`")
        .with_confidence(confidence),
    )
}
