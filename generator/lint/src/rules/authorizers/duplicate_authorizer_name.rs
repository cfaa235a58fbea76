use stackgen_model::Authorizer;

use crate::context::Context;
use crate::facts::authorization::namesakes;
use crate::rule::rule;
use crate::{Finding, Place};

rule! {
    /// Two authorizers of an API have the same name.
    ///
    /// ## Why it hurts
    ///
    /// Names are unique within an API: `Authorizer name must be unique. Authorizer X already exists in this RestApi.` The
    /// stack rolls back. The same happens when an authorizer is replaced under a new logical id and keeps its name, because
    /// CloudFormation makes the new one before it deletes the old one.
    ///
    /// ## How to fix it
    ///
    /// Give each its own `Name`.
    id: "SG124",
    name: "duplicate-authorizer-name",
    severity: Error,
    confidence: High,
    rows: ["F6"],
    fixable: false,
    example: "authorizers/duplicate_authorizer_name.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let pairs = context.websockets().flat_map(namesakes);
    pairs
        .map(|(first, second)| of_pair(first, second))
        .collect()
}

fn of_pair(first: &Authorizer, second: &Authorizer) -> Finding {
    let (first, second) = (&first.resource, &second.resource);
    let name = second.properties.text("Name").unwrap_or_default();
    let message = format!(
        "authorizers {} and {} are both called `{name}`",
        first.logical_id, second.logical_id
    );
    Finding::new(&RULE, Place::of(second, &["Name"]), message)
        .related(Place::of(first, &["Name"]), "the same name")
        .hint("give one of them another name, or remove the one that no route names")
}
