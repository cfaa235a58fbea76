use std::collections::HashSet;

use stackgen_model::Text;

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::arn::Match;
use crate::facts::connection_arns::MANAGE_CONNECTIONS;
use crate::facts::function_roles;
use crate::facts::policies::PolicyStatement;
use crate::rule::rule;

rule! {
    /// Something else than `execute-api:ManageConnections` is allowed on `@connections`.
    ///
    /// ## Why it hurts
    ///
    /// Whoever posts to a connection, looks at it or closes it needs `execute-api:ManageConnections` (row K1), and nothing
    /// else is ever asked for on `…/@connections/…`. `execute-api:Invoke` is for callers of routes, and `apigateway:POST`
    /// for those who change APIs. The statement allows nothing that it is there for, and calls fail with 403.
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
    // Beside a statement that allows it, another one is idle and does no harm.
    let right: HashSet<_> = statements
        .iter()
        .filter(|statement| statement.actions().next().is_none() || may_manage(statement))
        .map(|statement| &statement.resource.logical_id)
        .collect();
    let wrong = |statement: &PolicyStatement<'_>| {
        if right.contains(&statement.resource.logical_id) {
            return None;
        }
        let mut resources = statement.resources();
        let (text, _) = resources.find(|(text, _)| text.to_string().contains("@connections"))?;
        Some(statement_finding(statement, &text))
    };
    statements.iter().filter_map(wrong).collect()
}

fn may_manage(statement: &PolicyStatement<'_>) -> bool {
    let mut actions = statement.actions();
    actions.any(|action| function_roles::matches_action(&action, MANAGE_CONNECTIONS) != Match::No)
}

fn statement_finding(statement: &PolicyStatement<'_>, on: &Text) -> Finding {
    let id = &statement.resource.logical_id;
    let actions: Vec<_> = statement.actions().map(|it| format!("`{it}`")).collect();
    let actions = actions.join(", ");
    let message =
        format!("{id} allows {actions} on `{on}`, where `{MANAGE_CONNECTIONS}` is asked for");
    Finding::new(&RULE, statement.location(&["Action"]), message)
        .hint(format!("write `{MANAGE_CONNECTIONS}`"))
}
