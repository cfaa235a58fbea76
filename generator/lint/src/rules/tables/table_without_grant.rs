use std::collections::HashMap;

use stackgen_cfn::Span;
use stackgen_model::{Grant, LogicalId, Model, Reference, Resolved, Role, Text};

use crate::context::RuleContext;
use crate::facts::environment::{self, EnvironmentVariable};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A function's environment names a table that its role does not let it use.
    ///
    /// ## Why it hurts
    ///
    /// Every call fails with `AccessDeniedException`. In the function of `$connect` this refuses the handshake, and
    /// browsers see close code 1006 (row X2); in other functions records are silently missing.
    ///
    /// Only roles whose grants are all in the template are checked. If several functions have the same variable, or if
    /// the code in the template does not read it, the finding is a note, because the function may not use the table.
    ///
    /// ## How to fix it
    ///
    /// Allow the actions that the function uses on the table, and on its indexes as `…/index/*`. Or remove the
    /// variable.
    id: "SG515",
    name: "table-without-grant",
    severity: Error,
    confidence: Medium,
    rows: ["X2"],
    fixable: false,
    example: "tables/table_without_grant.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let named: Vec<_> = environment::variables(&context.facts)
        .filter_map(|variable| Some((table(context.model, variable)?, variable)))
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    let mut by_name: HashMap<(&LogicalId, &str), usize> = HashMap::new();
    let mut by_span: HashMap<Span, usize> = HashMap::new();
    for (table, variable) in &named {
        *by_name.entry((table, variable.name)).or_default() += 1;
        *by_span.entry(variable.location().span).or_default() += 1;
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
        let is_shared =
            by_name[&(*table, variable.name)] > 1 || span.file.is_some() && by_span[&span] > 1;
        let finding = variable_finding(variable, table, role);
        Some(match is_shared || variable.is_unread() {
            true => finding.with_confidence(Confidence::Low),
            false => finding,
        })
    };
    named.iter().filter_map(finding).collect()
}

/// Returns the table whose name or ARN is the variable's value.
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

/// Returns true unless a grant names only other tables.
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
        format!("{name} of {id} names {table}, but its role {role_id} allows no access to it");
    Finding::new(&RULE, variable.location(), message)
        .related(Location::of(&role.resource, &[]), "its role")
        .hint(format!(
            "in {role_id}, allow the DynamoDB actions that {id} uses on `!GetAtt {table}.Arn`"
        ))
}
