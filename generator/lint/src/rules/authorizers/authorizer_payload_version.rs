use super::setting_of_http_apis;
use crate::Finding;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::rule::rule;

rule! {
    /// An authorizer of a WebSocket API has a payload format version.
    ///
    /// ## Why it hurts
    ///
    /// `AuthorizerPayloadFormatVersion` is of HTTP APIs (row A12), which require it; a WebSocket API has one format of
    /// event (row E4). The setting is refused as `AuthorizerResultTtlInSeconds` is. A function that was written for `2.0`
    /// would look in vain for `routeArn`, `identitySource` and lower-case headers.
    ///
    /// ## How to fix it
    ///
    /// Remove `AuthorizerPayloadFormatVersion`. `--fix` does.
    id: "SG111",
    name: "authorizer-payload-version",
    severity: Error,
    confidence: High,
    rows: ["A12", "E4", "F6"],
    fixable: true,
    example: "authorizers/authorizer_payload_version.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let why = "a WebSocket API has one format of event";
    websocket_authorizers(&context.facts)
        .filter_map(|authorizer| {
            setting_of_http_apis(&RULE, authorizer, "AuthorizerPayloadFormatVersion", why)
        })
        .collect()
}
