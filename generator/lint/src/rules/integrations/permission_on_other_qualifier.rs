use crate::context::RuleContext;
use crate::facts::permissions::{DenialReason, DeniedInvocation, describe_target};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A permission is for another version or alias of the function than the called one.
    ///
    /// ## Why it hurts
    ///
    /// A function has separate resource policies for its unqualified ARN and for every version and alias (row D19): a
    /// permission for `Function` does not allow calls of `Function:live`, or vice versa. The permission looks right but
    /// is never used: handshakes fail with 500, messages with `Internal server error` frames, and the function's log is
    /// empty. This happens when an integration is moved to an alias and its permission is not.
    ///
    /// ## How to fix it
    ///
    /// Set `FunctionName` of the permission to what the integration or authorizer calls: `!Ref Alias`, `!Ref Version`,
    /// or the function.
    id: "SG315",
    name: "permission-on-other-qualifier",
    severity: Error,
    confidence: High,
    rows: ["D19", "C7", "A16"],
    fixable: false,
    example: "integrations/permission_on_other_qualifier.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let denieds = context.facts.denied_invocations().iter();
    denieds
        .filter_map(|denied| finding(context, denied))
        .collect()
}

fn finding(context: &RuleContext<'_>, denied: &DeniedInvocation<'_>) -> Option<Finding> {
    let DenialReason::OtherQualifier(permission) = denied.why else {
        return None;
    };
    let name = |qualifier| describe_target(context.model, denied.function, qualifier);
    let allowed = name(permission.function.qualifier.as_ref());
    let called = name(denied.link().qualifier.as_ref());
    let call = denied.call();
    let id = &permission.resource.logical_id;
    let message = format!("{id} is for {allowed}, but {denied} {call} {called}");
    let location = Location::of(&permission.resource, &["FunctionName"]);
    Some(
        Finding::new(&RULE, location, message)
            .related(denied.location(), "called here")
            .hint(format!("write {}", denied.function_name())),
    )
}
