use stackgen_model::{Authorizer, Text};

use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The type of a WebSocket API's authorizer is not `REQUEST`.
    ///
    /// ## Why it hurts
    ///
    /// `TOKEN` and `COGNITO_USER_POOLS` are types of REST APIs. A WebSocket API accepts only `REQUEST` (row A1). API
    /// Gateway refuses any other value with `Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis.`,
    /// and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Set `AuthorizerType: REQUEST`. Change a function that was written for `TOKEN` too: the event has no
    /// `authorizationToken`, and the token is in `headers` or `queryStringParameters` (row E4). `--fix` only corrects
    /// upper and lower case.
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
        "authorizer {} has type `{kind}` instead of `REQUEST`",
        resource.logical_id
    );
    let is_misspelt = kind.eq_ignore_ascii_case("REQUEST");
    let edit = is_misspelt
        .then(|| fix::replace(resource, &path, "REQUEST"))
        .flatten();
    let finding = Finding::new(&RULE, Location::of(resource, &path), message)
        .hint("write `AuthorizerType: REQUEST`")
        .fix(Fix::one("write the type as `REQUEST`", edit));
    Some(finding)
}
