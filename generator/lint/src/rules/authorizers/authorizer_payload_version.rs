use super::http_api_property;
use crate::Finding;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::rule::rule;

rule! {
    /// An authorizer of a WebSocket API has a payload format version.
    ///
    /// ## Why it hurts
    ///
    /// Only HTTP APIs have `AuthorizerPayloadFormatVersion` (row A12). A WebSocket API has one event format (row E4)
    /// and refuses the property, as it refuses `AuthorizerResultTtlInSeconds`. A function that was written for `2.0`
    /// does not find `routeArn`, `identitySource` and lower-case headers in the event.
    ///
    /// ## How to fix it
    ///
    /// Remove `AuthorizerPayloadFormatVersion`, as `--fix` does.
    id: "SG111",
    name: "authorizer-payload-version",
    severity: Error,
    confidence: High,
    rows: ["A12", "E4", "F6"],
    fixable: true,
    example: "authorizers/authorizer_payload_version.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let why = "WebSocket APIs have one event format";
    websocket_authorizers(&context.facts)
        .filter_map(|authorizer| {
            http_api_property(&RULE, authorizer, "AuthorizerPayloadFormatVersion", why)
        })
        .collect()
}
