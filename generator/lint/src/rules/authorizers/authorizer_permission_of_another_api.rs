use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permissions;
use crate::rule::rule;

rule! {
    /// The permission of an authorizer's function names another API.
    ///
    /// ## Why it hurts
    ///
    /// The function's policy allows an API that does not call it, and not the API that does. Every handshake fails with
    /// 500, and the function is never invoked (row A16). This happens when a permission is copied, or when an HTTP API
    /// and a WebSocket API have similar names.
    ///
    /// ## How to fix it
    ///
    /// Name the authorizer's own API in `SourceArn`: `…:${Api}/authorizers/${Authorizer}`.
    id: "SG117",
    name: "authorizer-permission-of-another-api",
    severity: Error,
    confidence: High,
    rows: ["A16"],
    fixable: false,
    example: "authorizers/authorizer_permission_of_another_api.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let refusals = context.facts.denied_invocations().iter();
    let refusals = refusals.filter(|refusal| refusal.is_of_authorizer());
    refusals
        .filter_map(|refusal| permissions::permission_of_another_api(&RULE, refusal))
        .collect()
}
