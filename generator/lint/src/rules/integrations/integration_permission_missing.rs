use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permissions;
use crate::rule::rule;

rule! {
    /// API Gateway may not invoke the function of an integration.
    ///
    /// ## Why it hurts
    ///
    /// An integration that names no role invokes its function by the function's resource policy, and the caller that
    /// the policy sees is `arn:…:execute-api:…:{api}/{stage}/{route}`. No permission of the template admits it. On
    /// `$connect` the handshake is answered with 500 (row C7); on other routes the client gets an `Internal server
    /// error` frame; the function is never invoked, so that its log is empty. CDK of before July 2026 made the
    /// permission for the first route alone when routes shared one `WebSocketLambdaIntegration`.
    ///
    /// ## How to fix it
    ///
    /// Add an `AWS::Lambda::Permission` for the function, with the qualifier that the integration names, the principal
    /// `apigateway.amazonaws.com` and a `SourceArn` that ends in `${Api}/*`. Or give the integration a role that may invoke it,
    /// in `CredentialsArn`.
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
            permissions::missing_permission(&RULE, refusal, "this does not admit it")
        })
        .collect()
}
