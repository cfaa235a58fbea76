use stackgen_model::Authorizer;

use crate::context::RuleContext;
use crate::facts::authorization::same_name_pairs;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// Two authorizers of an API have the same name.
    ///
    /// ## Why it hurts
    ///
    /// Names are unique within an API: `Authorizer name must be unique. Authorizer X already exists in this RestApi.`
    /// The stack rolls back. The same happens if an authorizer gets a new logical ID and keeps its name, because
    /// CloudFormation creates the new one before it deletes the old one.
    ///
    /// ## How to fix it
    ///
    /// Give each authorizer its own `Name`.
    id: "SG124",
    name: "duplicate-authorizer-name",
    severity: Error,
    confidence: High,
    rows: ["F6"],
    fixable: false,
    example: "authorizers/duplicate_authorizer_name.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let pairs = context.websockets().flat_map(same_name_pairs);
    pairs
        .map(|(first, second)| pair_finding(first, second))
        .collect()
}

fn pair_finding(first: &Authorizer, second: &Authorizer) -> Finding {
    let (first, second) = (&first.resource, &second.resource);
    let name = second.properties.text("Name").unwrap_or_default();
    let message = format!(
        "authorizers {} and {} both have the name `{name}`",
        first.logical_id, second.logical_id
    );
    Finding::new(&RULE, Location::of(second, &["Name"]), message)
        .related(Location::of(first, &["Name"]), "the same name")
        .hint("rename one of them, or remove the one that no route uses")
}
