use stackgen_model::{Api, Text};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An API has the description `mistake`.
    ///
    /// ## Why it hurts
    ///
    /// State the symptom, or quote AWS's error message, and name the row of the reference that says so.
    ///
    /// ## How to fix it
    ///
    /// State what to write instead.
    id: "SG000",
    name: "skeleton",
    severity: Warning,
    confidence: High,
    rows: [],
    fixable: false,
    example: "skeleton.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context.websockets().filter_map(check_api).collect()
}

fn check_api(api: &Api) -> Option<Finding> {
    let resource = api.resource.as_ref()?;
    let path = ["Description"];
    let description = resource.properties.text(path[0]);
    let description = description.as_ref().and_then(Text::as_literal)?;
    (description == "mistake").then(|| {
        let message = format!("API {} is described as a mistake", resource.logical_id);
        Finding::new(&RULE, Location::of(resource, &path), message).hint("write `Description: fix`")
    })
}
