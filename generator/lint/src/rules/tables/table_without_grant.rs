use std::collections::HashMap;

use stackgen_cfn::Span;
use stackgen_model::{Grant, LogicalId, Model, Reference, Resolved, Role, Text};

use crate::context::RuleContext;
use crate::facts::environment::{self, EnvironmentVariable};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A function is told of a table that its role does not let it use.
    ///
    /// ## Why it hurts
    ///
    /// Every call fails with `AccessDeniedException`. In the function of `$connect` that refuses the handshake, and a
    /// browser shows close code 1006 (row X2); in others, records are silently missing.
    ///
    /// A role is judged only when the template tells all that it grants. Where several functions are given the same
    /// variable, or the code in the template does not read it, the function may not use the table: then it is a note.
    ///
    /// ## How to fix it
    ///
    /// Allow the actions that the function uses on the table, and on its indexes by `…/index/*`; or take the variable away.
    id: "SG515",
    name: "table-without-grant",
    severity: Error,
    confidence: Medium,
    rows: ["X2"],
    fixable: false,
    example: "tables/table_without_grant.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let told: Vec<_> = environment::variables(&context.facts)
        .filter_map(|variable| Some((table(context.model, variable)?, variable)))
        .collect();
    if told.is_empty() {
        return Vec::new();
    }
    let mut many: HashMap<(&LogicalId, &str), usize> = HashMap::new();
    let mut at: HashMap<Span, usize> = HashMap::new();
    for (table, variable) in &told {
        *many.entry((table, variable.name)).or_default() += 1;
        *at.entry(variable.location().span).or_default() += 1;
    }
    let roles = context.facts.function_roles();
    let finding = |(table, variable): &(&LogicalId, EnvironmentVariable<'_>)| {
        let role = roles.complete_role(variable.function)?;
        if role
            .grants
            .iter()
            .any(|grant| may_use(context.model, grant, table))
        {
            return None;
        }
        let span = variable.location().span;
        let shared = many[&(*table, variable.name)] > 1 || span.file.is_some() && at[&span] > 1;
        let finding = variable_finding(variable, table, role);
        Some(match shared || variable.is_unread() {
            true => finding.with_confidence(Confidence::Low),
            false => finding,
        })
    };
    told.iter().filter_map(finding).collect()
}

/// The table whose name or ARN a variable holds.
fn table<'a>(model: &Model, variable: EnvironmentVariable<'a>) -> Option<&'a LogicalId> {
    let Resolved::Text(text) = variable.value else {
        return None;
    };
    let reference = text.as_reference()?;
    let named = matches!(reference.attribute.as_deref(), None | Some("Arn"));
    (named && is_table(model, reference)).then_some(&reference.logical_id)
}

fn is_table(model: &Model, reference: &Reference) -> bool {
    let resource = model.resource(&reference.logical_id);
    resource.is_some_and(|resource| resource.kind.starts_with("AWS::DynamoDB::"))
}

/// Whether a grant may be about the table: it is unless it names other tables alone.
fn may_use(model: &Model, grant: &Grant, table: &LogicalId) -> bool {
    let denies = grant.effect.as_ref().and_then(Text::as_literal) == Some("Deny");
    let about = |text: &Text| {
        let other =
            |reference: &Reference| is_table(model, reference) && reference.logical_id != *table;
        text.references().next().is_none() || !text.references().all(other)
    };
    !denies
        && grant.touches("dynamodb")
        && (!grant.not_resources.is_empty() || grant.resources.iter().any(about))
}

fn variable_finding(variable: &EnvironmentVariable<'_>, table: &LogicalId, role: &Role) -> Finding {
    let (id, name) = (&variable.function.resource.logical_id, variable.name);
    let role_id = &role.resource.logical_id;
    let message =
        format!("{name} tells {id} of {table}, and its role {role_id} allows nothing on it");
    Finding::new(&RULE, variable.location(), message)
        .related(Location::of(&role.resource, &[]), "its role")
        .hint(format!("allow what {id} does on `!GetAtt {table}.Arn`"))
}
