use stackgen_model::{Model, Piece, Pseudo, Text};

use crate::context::RuleContext;
use crate::facts::arn;
use crate::facts::connection_arns::{self, MANAGE_CONNECTIONS};
use crate::facts::generator;
use crate::facts::policies::RoleStatement;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A role may manage the connections of every API of the account.
    ///
    /// ## Why it hurts
    ///
    /// With `Resource: '*'`, or an ARN with `*` instead of the API's ID, a compromised function can post to the clients
    /// of every WebSocket API of the account and close their connections. Because `*` also matches slashes,
    /// `arn:…:execute-api:*:*:*/@connections/*`, which the Serverless Framework generates, is such an ARN.
    ///
    /// ## How to fix it
    ///
    /// Name the API and, if there is only one, the stage (row K1):
    /// `arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/prod/*/@connections/*`. With the
    /// Serverless Framework, give functions your own role in `provider.iam.role`. The finding is a note on the statement
    /// that the framework generates, because every service has it.
    id: "SG502",
    name: "manage-connections-account-wide",
    severity: Warning,
    confidence: High,
    rows: ["K1"],
    fixable: false,
    example: "management/manage_connections_account_wide.diff",
}

/// Maximum number of stages that are compared.
const MAX_STAGES: usize = 16;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let statements = context.facts.policy_statements();
    let unrelated = unrelated(context);
    let about = statements.iter().filter(|statement| {
        connection_arns::allows_managing(statement) && !statement.is_conditional()
    });
    let wide = |statement: &RoleStatement<'_>| {
        let id = statement.resource.logical_id.clone();
        let wide = statement
            .resources()
            .find(|(text, _)| is_wide(context.model, text, &unrelated));
        wide.map(|(text, location)| resource_finding(context, id.as_str(), &text, location))
    };
    about.filter_map(wide).collect()
}

fn resource_finding(
    context: &RuleContext<'_>,
    role: &str,
    text: &Text,
    location: Location,
) -> Finding {
    let region = region(text);
    let message = format!(
        "{role} may manage the connections of every API of the account{region}: `{MANAGE_CONNECTIONS}` on `{text}`"
    );
    let finding = Finding::new(&RULE, location, message);
    let mut apis = context.websockets();
    let write = match (apis.next(), apis.next()) {
        (Some(api), None) => connection_arns::suggested_arn(&context.facts, api, "*"),
        _ => None,
    };
    match write {
        _ if is_generated(context.model, role, text) => finding
            .with_confidence(Confidence::Low)
            .hint("the Serverless Framework generates this role; `provider.iam.role` names one of your own"),
        Some(arn) => finding.hint(format!("write `{arn}`")),
        None => finding.hint("name the API in the ARN"),
    }
}

/// Returns the restriction to a region in words, if the ARN has one.
fn region(text: &Text) -> String {
    let region = text
        .split_once(":execute-api:")
        .and_then(|(_, rest)| Some(rest.split_once(":")?.0));
    let Some(region) = region else {
        return String::new();
    };
    match (region.as_literal(), region.pieces()) {
        (Some("*" | ""), _) => String::new(),
        (Some(name), _) => format!(" in {name}"),
        (None, [Piece::Pseudo(Pseudo::Region)]) => " in the stack's region".to_owned(),
        _ => " in one region".to_owned(),
    }
}

/// Returns true for the ARN that the Serverless Framework writes into the role that it generates for a service.
fn is_generated(model: &Model, role: &str, text: &Text) -> bool {
    let is_own = |end: &str| {
        text.pieces()
            .last()
            .is_some_and(|last| matches!(last, Piece::Literal(literal) if literal.ends_with(end)))
    };
    role == "IamRoleLambdaExecution"
        && is_own(":execute-api:*:*:*/@connections/*")
        && generator::is_from_serverless(model)
}

/// Returns ARNs of connections of an unrelated API, at stages with the names of the template's stages.
fn unrelated(context: &RuleContext<'_>) -> Vec<Text> {
    let stages = context.websockets().flat_map(|api| &api.stages);
    let names = stages
        .filter_map(|stage| stage.name.clone())
        .take(MAX_STAGES);
    let arn = |stage: Text| {
        let mut arn = Text::literal("zzzzzzzzzz/");
        arn.append(stage);
        arn.append(Text::literal(format!(
            "/POST/@connections/{}",
            connection_arns::ANY_CONNECTION
        )));
        arn
    };
    names.chain([Text::literal("any")]).map(arn).collect()
}

/// Returns true if the pattern matches connections of any API.
fn is_wide(model: &Model, pattern: &Text, unrelated: &[Text]) -> bool {
    let resource = pattern
        .split_once(":execute-api:")
        .and_then(|(_, rest)| Some(rest.split_once(":")?.1.split_once(":")?.1));
    let pattern = resource.as_ref().unwrap_or(pattern);
    let mut unrelated = unrelated.iter();
    unrelated.any(|arn| arn::surely_matches(model, pattern, arn))
}
