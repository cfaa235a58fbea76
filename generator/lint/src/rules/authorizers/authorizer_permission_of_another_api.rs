use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permissions;
use crate::rule::rule;

rule! {
    /// The permission of an authorizer's function names another API.
    ///
    /// ## Why it hurts
    ///
    /// The function's policy admits an API that does not call it, and the API whose authorizer it is may not invoke it: every
    /// handshake on `$connect` is answered with 500 and the function is never invoked (row A16). It comes of a permission that
    /// was copied, and of a template whose HTTP API and WebSocket API have names that differ by a word.
    ///
    /// ## How to fix it
    ///
    /// Let `SourceArn` name the authorizer's own API: `…:${Api}/authorizers/${Authorizer}`.
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
