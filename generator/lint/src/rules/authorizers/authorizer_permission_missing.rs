use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permissions;
use crate::rule::rule;

rule! {
    /// API Gateway may not invoke an authorizer's function.
    ///
    /// ## Why it hurts
    ///
    /// An authorizer that names no role invokes its function by the function's resource policy, and the caller that the policy
    /// sees is `arn:…:execute-api:…:{api}/authorizers/{id}`: not a route. No permission of the template admits it, so every
    /// handshake on `$connect` is answered with 500, the function is never invoked, and its log stays empty (row A16). A
    /// permission for the API's routes, such as `{api}/prod/*`, does not cover authorizers.
    ///
    /// ## How to fix it
    ///
    /// Add an `AWS::Lambda::Permission` for the function with the principal `apigateway.amazonaws.com` and a `SourceArn` that
    /// ends in `${Api}/authorizers/${Authorizer}`. Or give the authorizer a role that may invoke it, in
    /// `AuthorizerCredentialsArn`.
    id: "SG116",
    name: "authorizer-permission-missing",
    severity: Error,
    confidence: High,
    rows: ["A16"],
    fixable: false,
    example: "authorizers/authorizer_permission_missing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let refusals = context.facts.denied_invocations().iter();
    let refusals = refusals.filter(|refusal| refusal.is_of_authorizer());
    refusals
        .filter_map(|refusal| {
            permissions::missing_permission(&RULE, refusal, "this admits no authorizer")
        })
        .collect()
}
