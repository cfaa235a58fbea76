use crate::context::Context;
use crate::facts::permissions::{Caller, Refusal, Why, other_source};
use crate::rule::rule;
use crate::{Finding, Place};

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

fn check(context: &Context<'_>) -> Vec<Finding> {
    let refusals = context.refusals.iter();
    refusals.filter_map(finding).collect()
}

fn finding(refusal: &Refusal<'_>) -> Option<Finding> {
    let Caller::Authorizer(authorizer) = &refusal.caller else {
        return None;
    };
    let (function, id) = (refusal.function, &authorizer.resource.logical_id);
    let finding = |reason: &str| {
        let message = format!("authorizer {id} may not invoke {function}: {reason}");
        Finding::new(&RULE, refusal.place(), message)
    };
    Some(match refusal.why {
        Why::Absent => finding("no permission of the template admits it").hint(format!(
            "add an `AWS::Lambda::Permission` with {}",
            refusal.permission()
        )),
        Why::OtherSource(permission) => finding(other_source(permission))
            .related(
                Place::of(&permission.resource, &["SourceArn"]),
                "this admits no authorizer",
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
