use crate::context::Context;
use crate::facts::permissions::{Caller, Refusal, Why, other_source};
use crate::rule::rule;
use crate::{Finding, Place};

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

fn check(context: &Context<'_>) -> Vec<Finding> {
    let refusals = context.refusals.iter();
    refusals.filter_map(finding).collect()
}

fn finding(refusal: &Refusal<'_>) -> Option<Finding> {
    let Caller::Routes(..) = &refusal.caller else {
        return None;
    };
    let function = refusal.function;
    let finding = |reason: &str| {
        let message = format!("{refusal} may not invoke {function}: {reason}");
        Finding::new(&RULE, refusal.place(), message)
    };
    Some(match refusal.why {
        Why::Absent => finding("no permission of the template admits the API").hint(format!(
            "add an `AWS::Lambda::Permission` with {}",
            refusal.permission()
        )),
        Why::OtherSource(permission) => finding(other_source(permission))
            .related(
                Place::of(&permission.resource, &["SourceArn"]),
                "this does not admit them",
            )
            .hint(format!(
                "add a permission with `SourceArn: {}`",
                refusal.source_arn()
            )),
        Why::OtherPrincipal(permission) => {
            finding("its permission is not API Gateway's to invoke it")
                .related(Place::of(&permission.resource, &[]), "this permission")
                .hint(
                    "set `Principal: apigateway.amazonaws.com` and `Action: lambda:InvokeFunction`",
                )
        }
        // Said of the permission itself, by the rules about those mistakes.
        Why::OtherApi(_) | Why::OtherQualifier(_) => return None,
    })
}
