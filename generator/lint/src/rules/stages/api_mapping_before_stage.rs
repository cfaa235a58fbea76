use stackgen_cfn::{Node, r#ref};
use stackgen_model::{ApiMapping, LogicalId, Text};

use crate::context::RuleContext;
use crate::facts::presence::exist_together;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An API mapping names its stage as text and does not depend on it.
    ///
    /// ## Why it hurts
    ///
    /// The stage must exist before a mapping to it (row F11). CloudFormation does not recognize a literal name as a
    /// reference and creates both at the same time. The stack then fails with `Invalid stage identifier specified` on
    /// some runs and succeeds on others.
    ///
    /// ## How to fix it
    ///
    /// Write `Stage: !Ref` and the stage's logical ID, which returns its name, as `--fix` does.
    id: "SG415",
    name: "api-mapping-before-stage",
    severity: Error,
    confidence: High,
    rows: ["F11"],
    fixable: true,
    example: "stages/api_mapping_before_stage.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let mappings = context.websockets().flat_map(|api| &api.mappings);
    let named: Vec<_> = mappings
        .filter_map(|mapping| Some((mapping, by_name(mapping)?)))
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    let order = context.facts.creation_order();
    let early = named.into_iter().filter(|(mapping, stage)| {
        let together = context
            .model
            .resource(stage)
            .is_some_and(|stage| exist_together(stage, &mapping.resource));
        together && !order.dependencies([&*mapping.resource]).has(stage)
    });
    early
        .map(|(mapping, stage)| finding(context, mapping, stage))
        .collect()
}

/// Returns the stage of the template that a mapping names as text.
fn by_name(mapping: &ApiMapping) -> Option<&LogicalId> {
    let name = mapping.resource.properties.text("Stage");
    let stage = mapping.stage.to()?;
    name.as_ref().and_then(Text::as_literal).map(|_| stage)
}

fn finding(context: &RuleContext<'_>, mapping: &ApiMapping, stage: &LogicalId) -> Finding {
    let resource = &mapping.resource;
    let id = &resource.logical_id;
    let message = format!("mapping {id} names stage {stage} as text and does not depend on it");
    let is_text = resource.node(&["Stage"]).and_then(Node::as_str).is_some();
    let edit = is_text.then(|| fix::replace(resource, &["Stage"], r#ref(stage.as_str())));
    let finding = Finding::new(&RULE, Location::of(resource, &["Stage"]), message)
        .hint(format!("write `Stage: !Ref {stage}`"))
        .fix(Fix::one(format!("refer to stage {stage}"), edit.flatten()));
    match context.model.resource(stage) {
        Some(stage) => finding.related(Location::of(stage, &[]), "the stage"),
        None => finding,
    }
}
