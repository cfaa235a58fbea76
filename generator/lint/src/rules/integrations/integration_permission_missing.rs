use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permissions;
use crate::rule::rule;

rule! {
    /// API Gateway is not allowed to invoke the function of an integration.
    ///
    /// ## Why it hurts
    ///
    /// Without a role, API Gateway invokes an integration's function through the function's resource policy. The source
    /// ARN of the call is `arn:…:execute-api:…:{api}/{stage}/{route}`, and no permission in the template allows it. On
    /// `$connect` the handshake fails with 500 (row C7), and on other routes the client gets an `Internal server error`
    /// frame. The function is never invoked, so its log is empty. Before July 2026, CDK created the permission only for
    /// the first route if routes shared a `WebSocketLambdaIntegration`.
    ///
    /// ## How to fix it
    ///
    /// Add an `AWS::Lambda::Permission` for the function, with the qualifier of the integration's URI, the principal
    /// `apigateway.amazonaws.com` and a `SourceArn` that ends in `${Api}/*`. Or set `CredentialsArn` of the integration
    /// to a role that may invoke the function.
    id: "SG310",
    name: "integration-permission-missing",
    severity: Error,
    confidence: High,
    rows: ["C7", "D19"],
    fixable: false,
    example: "integrations/integration_permission_missing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let refusals = context.facts.denied_invocations().iter();
    let refusals = refusals.filter(|refusal| !refusal.is_of_authorizer());
    refusals
        .filter_map(|refusal| {
            permissions::missing_permission(&RULE, refusal, "does not cover this call")
        })
        .collect()
}
