use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permissions;
use crate::rule::rule;

rule! {
    /// The permission of an integration's function names another API.
    ///
    /// ## Why it hurts
    ///
    /// The function's policy admits an API that does not call it, and the API whose integration names it may not invoke it.
    /// On `$connect` the handshake is answered with 500 (row C7); on other routes the client gets an `Internal server error`
    /// frame. The function is never invoked, so that its log is empty. It comes of a permission that was copied, and of a
    /// template whose HTTP API and WebSocket API have names that differ by a word.
    ///
    /// ## How to fix it
    ///
    /// Let `SourceArn` name the API that calls the function: `…:${Api}/*`.
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
