//! Reports denied invocations. Routes and authorizers have separate rules for the same mistakes.

use stackgen_model::Permission;

use super::{DenialReason, DeniedInvocation};
use crate::{Finding, Location, Rule};

/// Reports that no permission allows the call. Returns `None` if another rule reports the permission that comes nearest.
pub(crate) fn missing_permission(
    rule: &'static Rule,
    denied: &DeniedInvocation<'_>,
    label: &'static str,
) -> Option<Finding> {
    let finding = |reason: &str| {
        let function = denied.function;
        let message = format!("{denied} cannot invoke {function}: {reason}");
        Finding::new(rule, denied.location(), message)
    };
    Some(match denied.why {
        DenialReason::Absent => finding("no permission in the template allows it").hint(format!(
            "add an `AWS::Lambda::Permission` with {}",
            denied.permission()
        )),
        DenialReason::OtherSource(permission) => finding(other_source(permission))
            .related(Location::of(&permission.resource, &["SourceArn"]), label)
            .hint(format!(
                "add a permission with `SourceArn: {}`",
                denied.source_arn()
            )),
        DenialReason::OtherPrincipal(permission) => {
            finding("its permission is not for API Gateway and `lambda:InvokeFunction`")
                .related(Location::of(&permission.resource, &[]), "this permission")
                .hint(
                    "set `Principal: apigateway.amazonaws.com` and `Action: lambda:InvokeFunction`",
                )
        }
        DenialReason::OtherApi(_) | DenialReason::OtherQualifier(_) => return None,
    })
}

/// Reports a permission for another API, which does not call the function.
pub(crate) fn permission_of_another_api(
    rule: &'static Rule,
    denied: &DeniedInvocation<'_>,
) -> Option<Finding> {
    let DenialReason::OtherApi(permission) = denied.why else {
        return None;
    };
    let (id, function) = (&permission.resource.logical_id, denied.function);
    let message = format!("{id} allows an API that does not call {function} instead of {denied}");
    let location = Location::of(&permission.resource, &["SourceArn"]);
    Some(
        Finding::new(rule, location, message)
            .related(denied.location(), "not allowed to invoke it")
            .hint(format!("write `SourceArn: {}`", denied.source_arn())),
    )
}

/// Returns the reason why a permission for the API does not cover the call.
fn other_source(permission: &Permission) -> &'static str {
    let source = permission.source_arn.as_ref();
    match source.is_some_and(|source| source.split_once(":execute-api:").is_none()) {
        true => "the `SourceArn` of its permission is not an `execute-api` ARN",
        false => "its permissions are for other parts of the API",
    }
}
