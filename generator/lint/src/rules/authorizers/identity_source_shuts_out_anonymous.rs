use super::shut_out;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// An identity source shuts out callers without a token, whom the stack admits.
    ///
    /// ## Why it hurts
    ///
    /// A handshake that lacks an identity source gets 401 from API Gateway itself, and the authorizer is **not** invoked
    /// (row A2). It reads as if the authorizer were broken, and its logs are empty. The stack says that such callers are
    /// welcome: its authorizer records `Callers: mixed`, or its function is told to let callers without a token in.
    ///
    /// ## How to fix it
    ///
    /// Remove `IdentitySource`, so that the authorizer is always invoked (row A4) and tells callers apart: no token is an
    /// anonymous caller, a bad token is refused. In a stack that exists already write `IdentitySource: []`, and look at the
    /// authorizer afterwards: what is merely removed from a template may stay. If every caller must bring a token, correct
    /// the setting instead.
    id: "SG114",
    name: "identity-source-shuts-out-anonymous",
    severity: Error,
    confidence: High,
    rows: ["A2", "A4"],
    fixable: false,
    example: "authorizers/identity_source_shuts_out_anonymous.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let shut_out = websocket_authorizers(&context.facts).filter_map(|authorizer| {
        let (source, admitted) = shut_out(context.model, authorizer)?;
        let id = &authorizer.resource.logical_id;
        let message = format!(
            "callers without `{source}` never reach authorizer {id}, although it admits them"
        );
        let finding = Finding::new(
            &RULE,
            Location::of(&authorizer.resource, &["IdentitySource"]),
            message,
        )
        .related(admitted.location, admitted.label)
        .hint("remove `IdentitySource`, and let the function tell callers apart");
        let computed = settings::is_computed(&authorizer.resource, &["IdentitySource"]);
        Some(match admitted.is_recorded {
            _ if computed || admitted.is_computed => settings::unless_overridden(finding),
            true => finding,
            false => finding.with_confidence(Confidence::Medium),
        })
    });
    shut_out.collect()
}
