use super::http_api_property;
use crate::Finding;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::rule::rule;

rule! {
    /// An authorizer of a WebSocket API sets a time to live for its results.
    ///
    /// ## Why it hurts
    ///
    /// A WebSocket API does not cache authorizer results: it invokes the authorizer once per connection (row A11). API
    /// Gateway refuses any value, even 0: `AuthorizerResultTtlInSeconds cannot be set for WEBSOCKET protocol Apis.` The
    /// stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Remove `AuthorizerResultTtlInSeconds`, as `--fix` does.
    id: "SG109",
    name: "authorizer-result-ttl",
    severity: Error,
    confidence: High,
    rows: ["A11"],
    fixable: true,
    example: "authorizers/authorizer_result_ttl.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let why = "WebSocket APIs do not cache results and refuse any value";
    websocket_authorizers(&context.facts)
        .filter_map(|authorizer| {
            http_api_property(&RULE, authorizer, "AuthorizerResultTtlInSeconds", why)
        })
        .collect()
}
