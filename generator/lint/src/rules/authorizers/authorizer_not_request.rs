use stackgen_model::{Authorizer, Text};

use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An authorizer of a WebSocket API is not of the type `REQUEST`.
    ///
    /// ## Why it hurts
    ///
    /// `TOKEN` and `COGNITO_USER_POOLS` are types of REST APIs. A WebSocket API takes `REQUEST` alone (row A1); any other
    /// word is refused, `Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis.`, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Set `AuthorizerType: REQUEST`. A function that was written for `TOKEN` has to change with it: there is no
    /// `authorizationToken` in the event, the token is among `headers` or `queryStringParameters` (row E4). `--fix` corrects
    /// the case of letters only.
    id: "SG108",
    name: "authorizer-not-request",
    severity: Error,
    confidence: High,
    rows: ["A1", "E4", "F6"],
    fixable: true,
    example: "authorizers/authorizer_not_request.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    websocket_authorizers(&context.facts)
        .filter_map(check_authorizer)
        .collect()
}

fn check_authorizer(authorizer: &Authorizer) -> Option<Finding> {
    let kind = authorizer
        .authorizer_type
        .as_ref()
        .and_then(Text::as_literal)?;
    if kind == "REQUEST" {
        return None;
    }
    let resource = &authorizer.resource;
    let path = ["AuthorizerType"];
    let message = format!(
        "authorizer {} is of the type `{kind}`, and not `REQUEST`",
        resource.logical_id
    );
    let misspelt = kind.eq_ignore_ascii_case("REQUEST");
    let edit = misspelt
        .then(|| fix::replace(resource, &path, "REQUEST"))
        .flatten();
    let finding = Finding::new(&RULE, Location::of(resource, &path), message)
        .hint("write `AuthorizerType: REQUEST`")
        .fix(Fix::one("write the type as `REQUEST`", edit));
    Some(finding)
}
