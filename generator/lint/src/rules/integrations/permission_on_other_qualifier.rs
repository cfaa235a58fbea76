use crate::context::RuleContext;
use crate::facts::permissions::{DenialReason, DeniedInvocation, describe_target};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A permission is for another version or alias of the function than the one that is called.
    ///
    /// ## Why it hurts
    ///
    /// A function has one resource policy for its unqualified ARN and one for every version and alias (row D19): a permission
    /// for `Function` does not admit calls of `Function:live`, nor the other way round. The permission looks right in the template
    /// and is never used: 500 at the handshake, `Internal server error` frames afterwards, and the function's log is empty. It
    /// comes of the day on which an integration is moved to an alias and its permission is not.
    ///
    /// ## How to fix it
    ///
    /// Let `FunctionName` of the permission be what the integration or authorizer calls: `!Ref Alias`, `!Ref Version`, or the
    /// function.
    id: "SG315",
    name: "permission-on-other-qualifier",
    severity: Error,
    confidence: High,
    rows: ["D19", "C7", "A16"],
    fixable: false,
    example: "integrations/permission_on_other_qualifier.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let refusals = context.facts.denied_invocations().iter();
    refusals
        .filter_map(|refusal| finding(context, refusal))
        .collect()
}

fn finding(context: &RuleContext<'_>, refusal: &DeniedInvocation<'_>) -> Option<Finding> {
    let DenialReason::OtherQualifier(permission) = refusal.why else {
        return None;
    };
    let name = |qualifier| describe_target(context.model, refusal.function, qualifier);
    let admitted = name(permission.function.qualifier.as_ref());
    let called = name(refusal.link().qualifier.as_ref());
    let call = refusal.call();
    let id = &permission.resource.logical_id;
    let message = format!("{id} is for {admitted}, and {refusal} {call} {called}");
    let location = Location::of(&permission.resource, &["FunctionName"]);
    Some(
        Finding::new(&RULE, location, message)
            .related(refusal.location(), "what is called")
            .hint(format!("write {}", refusal.function_name())),
    )
}
