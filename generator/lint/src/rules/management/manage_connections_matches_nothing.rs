use std::collections::HashSet;

use stackgen_model::{Api, LogicalId, Text};

use crate::context::RuleContext;
use crate::facts::arn::Match;
use crate::facts::connection_arns::{self, ConnectionArns, MANAGE_CONNECTIONS};
use crate::facts::policies::RoleStatement;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// `execute-api:ManageConnections` is allowed on an ARN that matches no connection.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway checks `arn:…:execute-api:<region>:<account>:<api>/<stage>/<method>/@connections/{connectionId}`,
    /// where the method is `POST`, `GET` or `DELETE` (row K1). The ARN ends in the word `{connectionId}` with its
    /// braces, whatever the connection. A pattern that does not match the whole ARN allows nothing, and every call
    /// fails with 403. Common errors: the stage or the method before `@connections` is missing, the stage has another
    /// name, the ARN ends in the ID of a connection, it belongs to an HTTP API or to `apigateway`, or it is a URL. A
    /// `*` also matches slashes, so `<api>/*` and `<api>/*/@connections/*` are right.
    ///
    /// ## How to fix it
    ///
    /// Write `arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/prod/POST/@connections/*`.
    id: "SG503",
    name: "manage-connections-matches-nothing",
    severity: Error,
    confidence: High,
    rows: ["K1"],
    fixable: false,
    example: "management/manage_connections_matches_nothing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let statements = context.facts.policy_statements();
    let mut findings = Vec::new();
    for statement in statements.iter().filter(|it| allows_only_managing(it)) {
        let connections = context.facts.connection_arns();
        let (useless, working): (Vec<_>, Vec<_>) = statement
            .resources()
            .partition(|(text, _)| connections.matches_any(text) == Match::No);
        for (text, location) in useless {
            let finding = resource_finding(context, connections, &text, location);
            findings.push(
                match working
                    .iter()
                    .any(|(other, _)| name_same_resources(&text, other))
                {
                    // The other resources may suffice, and this one does no harm.
                    true => finding.with_confidence(Confidence::Low),
                    false => finding,
                },
            );
        }
    }
    findings
}

/// Returns true if two ARNs name the same resources of the template, or none.
fn name_same_resources(one: &Text, other: &Text) -> bool {
    let ids = |text: &'_ Text| -> HashSet<LogicalId> {
        let references = text.references();
        let ids = references.filter(|it| it.attribute.is_none());
        ids.map(|it| it.logical_id.clone()).collect()
    };
    let (one, other) = (ids(one), ids(other));
    one.is_subset(&other) || other.is_subset(&one)
}

/// Returns true if a statement allows only this action. Otherwise its ARNs may be for the other actions.
fn allows_only_managing(statement: &RoleStatement<'_>) -> bool {
    let named = |action: Text| {
        let action = action.as_literal();
        action.is_some_and(|action| action.eq_ignore_ascii_case(MANAGE_CONNECTIONS))
    };
    statement.actions().next().is_some() && statement.actions().all(named)
}

/// Returns true for `arn:…:execute-api:<region>::…`.
fn lacks_account(text: &Text) -> bool {
    let rest = text.split_once(":execute-api:").map(|(_, rest)| rest);
    let account = rest.and_then(|rest| Some(rest.split_once(":")?.1.split_once(":")?.0));
    account.is_some_and(|account| account.as_literal() == Some(""))
}

fn resource_finding(
    context: &RuleContext<'_>,
    connections: &ConnectionArns<'_>,
    text: &Text,
    location: Location,
) -> Finding {
    let reason = match connections.api_without_stage(text) {
        _ if connection_arns::names_other_api(context.model, text) => {
            "the API is not a WebSocket API".to_owned()
        }
        Some(api) => format!("{api} has no stage with this name"),
        None if lacks_account(text) => "its account is empty".to_owned(),
        None => {
            "the ARN that IAM checks ends in `<api>/<stage>/<method>/@connections/{connectionId}`"
                .to_owned()
        }
    };
    let message = format!("`{MANAGE_CONNECTIONS}` on `{text}` allows nothing: {reason}");
    let finding = Finding::new(&RULE, location, message);
    let named = |api: &&Api| {
        let mut references = text.references();
        references.any(|reference| Some(&reference.logical_id) == api.id.to())
    };
    let mut apis = context.websockets();
    let api = match (apis.next(), apis.next()) {
        (only, None) => only,
        _ => context.websockets().find(named),
    };
    match api.and_then(|api| connection_arns::suggested_arn(&context.facts, api, "POST")) {
        Some(arn) => finding.hint(format!("write `{arn}`")),
        None => finding,
    }
}
