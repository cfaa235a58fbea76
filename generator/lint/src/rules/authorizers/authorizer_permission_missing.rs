use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permissions;
use crate::rule::rule;

rule! {
    /// API Gateway is not allowed to invoke an authorizer's function.
    ///
    /// ## Why it hurts
    ///
    /// Without a role, API Gateway invokes an authorizer's function through the function's resource policy. The source
    /// ARN of the call is `arn:…:execute-api:…:{api}/authorizers/{id}`, not that of a route. No permission in the
    /// template allows it: every handshake fails with 500, the function is never invoked, and its log stays empty (row
    /// A16). A permission for routes, such as `{api}/prod/*`, does not cover authorizers.
    ///
    /// ## How to fix it
    ///
    /// Add an `AWS::Lambda::Permission` for the function with the principal `apigateway.amazonaws.com` and a
    /// `SourceArn` that ends in `${Api}/authorizers/${Authorizer}`. Or set `AuthorizerCredentialsArn` to a role that
    /// may invoke the function.
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
            permissions::missing_permission(&RULE, refusal, "does not cover authorizers")
        })
        .collect()
}
