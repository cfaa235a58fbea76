use stackgen_model::{Stage, Text};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// The name of a stage has characters that API Gateway does not take there.
    ///
    /// ## Why it hurts
    ///
    /// A stage's name is part of its URL, of the ARNs in policies and permissions, and of the management endpoint. It
    /// has letters, digits, `-` and `_`, at most 128 of them; another name is refused and the stack fails. `$default` is
    /// the name of an HTTP API's stage without a path: no page of AWS's gives it to WebSocket APIs, and reports of
    /// whether it works there differ.
    ///
    /// ## How to fix it
    ///
    /// Choose another name: `prod`, `v1`. A custom domain hides it from clients (row L8).
    id: "SG421",
    name: "stage-name-invalid",
    severity: Error,
    confidence: Medium,
    rows: ["F8", "L8"],
    fixable: false,
    example: "stages/stage_name_invalid.diff",
}

const LONGEST: usize = 128;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let stages = context.websockets().flat_map(|api| &api.stages);
    stages.filter_map(check_stage).collect()
}

fn check_stage(stage: &Stage) -> Option<Finding> {
    let name = stage.name.as_ref().and_then(Text::as_literal)?;
    let is_fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let wrong = match name.chars().find(|c| !is_fit(*c)) {
        _ if name == "$default" => "which is known of HTTP APIs alone".to_owned(),
        _ if name.is_empty() => "which is empty".to_owned(),
        _ if name.len() > LONGEST => format!("which is longer than {LONGEST} characters"),
        Some(c) => format!("and `{}` cannot be in a stage's name", c.escape_debug()),
        None => return None,
    };
    let confidence = match name {
        "$default" => Confidence::Low,
        _ => Confidence::Medium,
    };
    let id = &stage.resource.logical_id;
    let message = format!("stage {id} is called `{name}`, {wrong}");
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
