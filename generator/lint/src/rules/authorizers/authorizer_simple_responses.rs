use stackgen_model::Authorizer;

use super::setting_of_http_apis;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::rule::rule;
use crate::{Confidence, Finding};

rule! {
    /// An authorizer of a WebSocket API is to answer with simple responses.
    ///
    /// ## Why it hurts
    ///
    /// `EnableSimpleResponses` is supported for HTTP APIs only (row A12). A WebSocket API needs a policy, and takes
    /// `{"isAuthorized": true}` for a broken answer: the handshake fails with 500 (row A7). The setting itself is refused as
    /// `AuthorizerResultTtlInSeconds` is. Whether `false` is refused too is not documented, so that it is a note.
    ///
    /// ## How to fix it
    ///
    /// Remove `EnableSimpleResponses`, which `--fix` does, and have the function return `principalId` and a
    /// `policyDocument` whose resource is the event's `methodArn`.
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
    let why = "a WebSocket API takes policies only";
    let finding = setting_of_http_apis(&RULE, authorizer, key, why)?;
    let value = authorizer.resource.properties.bool(key);
    Some(match value.value() {
        Some(true) => finding,
        _ => finding.with_confidence(Confidence::Low),
    })
}
