use std::collections::HashSet;

use stackgen_model::Text;

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::arn::Match;
use crate::facts::connection_arns::MANAGE_CONNECTIONS;
use crate::facts::function_roles;
use crate::facts::policies::RoleStatement;
use crate::rule::rule;

rule! {
    /// An action other than `execute-api:ManageConnections` is allowed on `@connections`.
    ///
    /// ## Why it hurts
    ///
    /// Posting to a connection, reading its state and closing it need `execute-api:ManageConnections` (row K1); API
    /// Gateway checks no other action on `…/@connections/…`. `execute-api:Invoke` is for callers of routes, and
    /// `apigateway:POST` for changing APIs. The statement does not allow what it is for, and calls fail with 403.
    ///
    /// ## How to fix it
    ///
    /// Write `execute-api:ManageConnections`.
    id: "SG513",
    name: "wrong-action-for-connections",
    severity: Error,
    confidence: High,
    rows: ["K1"],
    fixable: false,
    example: "management/wrong_action_for_connections.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let statements = context.facts.policy_statements();
    // If another statement allows the action, this one does no harm.
    let correct: HashSet<_> = statements
        .iter()
        .filter(|statement| statement.actions().next().is_none() || may_manage(statement))
        .map(|statement| &statement.resource.logical_id)
        .collect();
    let wrong = |statement: &RoleStatement<'_>| {
        if correct.contains(&statement.resource.logical_id) {
            return None;
        }
        let mut resources = statement.resources();
        let (text, _) = resources.find(|(text, _)| text.to_string().contains("@connections"))?;
        Some(statement_finding(statement, &text))
    };
    statements.iter().filter_map(wrong).collect()
}

fn may_manage(statement: &RoleStatement<'_>) -> bool {
    let mut actions = statement.actions();
    actions.any(|action| function_roles::matches_action(&action, MANAGE_CONNECTIONS) != Match::No)
}

fn statement_finding(statement: &RoleStatement<'_>, on: &Text) -> Finding {
    let id = &statement.resource.logical_id;
    let actions: Vec<_> = statement.actions().map(|it| format!("`{it}`")).collect();
    let actions = actions.join(", ");
    let message = format!("{id} allows {actions} on `{on}`, which needs `{MANAGE_CONNECTIONS}`");
    Finding::new(&RULE, statement.location(&["Action"]), message)
        .hint(format!("write `{MANAGE_CONNECTIONS}`"))
}
