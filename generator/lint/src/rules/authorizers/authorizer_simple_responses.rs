use stackgen_model::Authorizer;

use super::http_api_property;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::rule::rule;
use crate::{Confidence, Finding};

rule! {
    /// An authorizer of a WebSocket API enables simple responses.
    ///
    /// ## Why it hurts
    ///
    /// Only HTTP APIs support `EnableSimpleResponses` (row A12). A WebSocket API needs a policy and treats
    /// `{"isAuthorized": true}` as an invalid response: the handshake fails with 500 (row A7). API Gateway refuses the
    /// property, as it refuses `AuthorizerResultTtlInSeconds`. Whether it also refuses `false` is not documented, so
    /// `false` is reported as a note.
    ///
    /// ## How to fix it
    ///
    /// Remove `EnableSimpleResponses`, as `--fix` does, and let the function return `principalId` and a
    /// `policyDocument` for the event's `methodArn`.
    id: "SG110",
    name: "authorizer-simple-responses",
    severity: Error,
    confidence: High,
    rows: ["A7", "A12", "F6"],
    fixable: true,
    example: "authorizers/authorizer_simple_responses.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    websocket_authorizers(&context.facts)
        .filter_map(check_authorizer)
        .collect()
}

fn check_authorizer(authorizer: &Authorizer) -> Option<Finding> {
    let key = "EnableSimpleResponses";
    let why = "WebSocket APIs accept only policies";
    let finding = http_api_property(&RULE, authorizer, key, why)?;
    let value = authorizer.resource.properties.bool(key);
    Some(match value.value() {
        Some(true) => finding,
        _ => finding.with_confidence(Confidence::Low),
    })
}
