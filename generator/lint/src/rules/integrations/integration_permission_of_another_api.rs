use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permissions;
use crate::rule::rule;

rule! {
    /// The permission of an integration's function names another API.
    ///
    /// ## Why it hurts
    ///
    /// The function's policy allows an API that does not call it, and not the API that does. On `$connect` the
    /// handshake fails with 500 (row C7), and on other routes the client gets an `Internal server error` frame. The
    /// function is never invoked, so its log is empty. This happens when a permission is copied, or when an HTTP API
    /// and a WebSocket API have similar names.
    ///
    /// ## How to fix it
    ///
    /// Name the API that calls the function in `SourceArn`: `…:${Api}/*`.
    id: "SG311",
    name: "integration-permission-of-another-api",
    severity: Error,
    confidence: High,
    rows: ["C7"],
    fixable: false,
    example: "integrations/integration_permission_of_another_api.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let refusals = context.facts.denied_invocations().iter();
    let refusals = refusals.filter(|refusal| !refusal.is_of_authorizer());
    refusals
        .filter_map(|refusal| permissions::permission_of_another_api(&RULE, refusal))
        .collect()
}
