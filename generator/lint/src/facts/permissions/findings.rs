//! What is told of a refused call. Routes and authorizers have rules of their own for the same mistakes.

use stackgen_model::Permission;

use super::{DenialReason, DeniedInvocation};
use crate::{Finding, Location, Rule};

/// No permission admits the caller. `None` where another rule tells it of the permission that comes near.
pub(crate) fn missing_permission(
    rule: &'static Rule,
    refusal: &DeniedInvocation<'_>,
    beside: &'static str,
) -> Option<Finding> {
    let finding = |reason: &str| {
        let function = refusal.function;
        let message = format!("{refusal} may not invoke {function}: {reason}");
        Finding::new(rule, refusal.location(), message)
    };
    Some(match refusal.why {
        DenialReason::Absent => finding("no permission of the template admits it").hint(format!(
            "add an `AWS::Lambda::Permission` with {}",
            refusal.permission()
        )),
        DenialReason::OtherSource(permission) => finding(other_source(permission))
            .related(Location::of(&permission.resource, &["SourceArn"]), beside)
            .hint(format!(
                "add a permission with `SourceArn: {}`",
                refusal.source_arn()
            )),
        DenialReason::OtherPrincipal(permission) => {
            finding("its permission is not API Gateway's to invoke it")
                .related(Location::of(&permission.resource, &[]), "this permission")
                .hint(
                    "set `Principal: apigateway.amazonaws.com` and `Action: lambda:InvokeFunction`",
                )
        }
        DenialReason::OtherApi(_) | DenialReason::OtherQualifier(_) => return None,
    })
}

/// A permission admits another API, which does not call the function.
pub(crate) fn permission_of_another_api(
    rule: &'static Rule,
    refusal: &DeniedInvocation<'_>,
) -> Option<Finding> {
    let DenialReason::OtherApi(permission) = refusal.why else {
        return None;
    };
    let (id, function) = (&permission.resource.logical_id, refusal.function);
    let message = format!("{id} admits an API that does not call {function}, and not {refusal}");
    let location = Location::of(&permission.resource, &["SourceArn"]);
    Some(
        Finding::new(rule, location, message)
            .related(refusal.location(), "this may not invoke it")
            .hint(format!("write `SourceArn: {}`", refusal.source_arn())),
    )
}

/// DenialReason a permission whose source is the api's does not admit the call.
fn other_source(permission: &Permission) -> &'static str {
    let source = permission.source_arn.as_ref();
    match source.is_some_and(|source| source.split_once(":execute-api:").is_none()) {
        true => "the SourceArn of its permission is no `execute-api` ARN",
        false => "its permissions are for other parts of the API",
    }
}
