use crate::context::Context;
use crate::facts::permissions::{Caller, Refusal, Why};
use crate::rule::rule;
use crate::{Finding, Place};

rule! {
    /// The permission of an authorizer's function names another API.
    ///
    /// ## Why it hurts
    ///
    /// The function's policy admits an API that does not call it, and the API whose authorizer it is may not invoke it: every
    /// handshake on `$connect` is answered with 500 and the function is never invoked (row A16). It comes of a permission that
    /// was copied, and of a template whose HTTP API and WebSocket API have names that differ by a word.
    ///
    /// ## How to fix it
    ///
    /// Let `SourceArn` name the authorizer's own API: `…:${Api}/authorizers/${Authorizer}`.
    id: "SG117",
    name: "authorizer-permission-of-another-api",
    severity: Error,
    confidence: High,
    rows: ["A16"],
    fixable: false,
    example: "authorizers/authorizer_permission_of_another_api.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let refusals = context.refusals.iter();
    refusals.filter_map(finding).collect()
}

fn finding(refusal: &Refusal<'_>) -> Option<Finding> {
    let (Caller::Authorizer(_), Why::OtherApi(permission)) = (&refusal.caller, refusal.why) else {
        return None;
    };
    let (id, function) = (&permission.resource.logical_id, refusal.function);
    let message = format!("{id} admits an API that does not call {function}, and not {refusal}");
    let place = Place::of(&permission.resource, &["SourceArn"]);
    Some(
        Finding::new(&RULE, place, message)
            .related(refusal.place(), "this may not invoke it")
            .hint(format!("write `SourceArn: {}`", refusal.source_arn())),
    )
}
