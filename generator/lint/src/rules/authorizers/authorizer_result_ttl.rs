use super::setting_of_http_apis;
use crate::Finding;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::rule::rule;

rule! {
    /// An authorizer of a WebSocket API has a time to live for its results.
    ///
    /// ## Why it hurts
    ///
    /// A WebSocket API caches no authorizer results; the authorizer is asked once a connection (row A11). Any value is
    /// refused, also the 0 that means no caching: `AuthorizerResultTtlInSeconds cannot be set for WEBSOCKET protocol
    /// Apis.` The stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Remove `AuthorizerResultTtlInSeconds`. `--fix` does.
    id: "SG109",
    name: "authorizer-result-ttl",
    severity: Error,
    confidence: High,
    rows: ["A11"],
    fixable: true,
    example: "authorizers/authorizer_result_ttl.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let why = "a WebSocket API caches no results and refuses any value";
    websocket_authorizers(&context.facts)
        .filter_map(|authorizer| {
            setting_of_http_apis(&RULE, authorizer, "AuthorizerResultTtlInSeconds", why)
        })
        .collect()
}
