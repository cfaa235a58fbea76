use std::collections::HashMap;

use stackgen_model::{Api, Stage};

use crate::context::RuleContext;
use crate::facts::presence::exist_together;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// Two stages of an API have the same name.
    ///
    /// ## Why it hurts
    ///
    /// The name identifies the stage. API Gateway refuses the second one with 409 `ConflictException` (row D14), and
    /// the stack fails.
    ///
    /// ## How to fix it
    ///
    /// Give the stages different names, or remove one.
    id: "SG420",
    name: "duplicate-stage-name",
    severity: Error,
    confidence: High,
    rows: ["D14"],
    fixable: false,
    example: "stages/duplicate_stage_name.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().flat_map(check_api).collect()
}

fn check_api(api: &Api) -> Vec<Finding> {
    let mut names: HashMap<String, &Stage> = HashMap::new();
    let mut findings = Vec::new();
    let known = api.stages.iter().filter_map(|stage| {
        let name = stage
            .name
            .as_ref()
            .filter(|name| name.unknown().is_none())?;
        Some((stage, name.to_string()))
    });
    for (stage, name) in known {
        match names.get(&name) {
            Some(first) if exist_together(&first.resource, &stage.resource) => {
                findings.push(finding(first, stage, &name));
            }
            Some(_) => {}
            None => {
                names.insert(name, stage);
            }
        }
    }
    findings
}

fn finding(first: &Stage, second: &Stage, name: &str) -> Finding {
    let (first_id, id) = (&first.resource.logical_id, &second.resource.logical_id);
    let message = format!("stage {id} has the same name as stage {first_id}: `{name}`");
    Finding::new(
        &RULE,
        Location::of(&second.resource, &["StageName"]),
        message,
    )
    .related(
        Location::of(&first.resource, &["StageName"]),
        "the same name",
    )
    .hint("give it another name, or remove it")
}
