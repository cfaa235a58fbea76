use crate::context::Context;
use crate::facts::permissions::{Caller, Refusal, Why};
use crate::rule::rule;
use crate::{Finding, Place};

rule! {
    /// The permission of an integration's function names another API.
    ///
    /// ## Why it hurts
    ///
    /// The function's policy admits an API that does not call it, and the API whose integration names it may not invoke it.
    /// On `$connect` the handshake is answered with 500 (row C7); on other routes the client gets an `Internal server error`
    /// frame. The function is never invoked, so that its log is empty. It comes of a permission that was copied, and of a
    /// template whose HTTP API and WebSocket API have names that differ by a word.
    ///
    /// ## How to fix it
    ///
    /// Let `SourceArn` name the API that calls the function: `…:${Api}/*`.
    id: "SG311",
    name: "integration-permission-of-another-api",
    severity: Error,
    confidence: High,
    rows: ["C7"],
    fixable: false,
    example: "integrations/integration_permission_of_another_api.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let refusals = context.refusals.iter();
    refusals.filter_map(finding).collect()
}

fn finding(refusal: &Refusal<'_>) -> Option<Finding> {
    let (Caller::Routes(..), Why::OtherApi(permission)) = (&refusal.caller, refusal.why) else {
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
