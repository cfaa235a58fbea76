use super::source_locking_out;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// An identity source locks out anonymous callers, whom the stack admits.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway answers a handshake without an identity source with 401 and does **not** invoke the authorizer (row
    /// A2). The authorizer looks broken, and its logs are empty. The stack shows that anonymous callers are welcome:
    /// the authorizer's metadata has `Callers: mixed`, or an environment variable of its function admits them.
    ///
    /// ## How to fix it
    ///
    /// Remove `IdentitySource`, so that API Gateway always invokes the authorizer (row A4) and its function tells
    /// callers apart: no token is an anonymous caller, a bad token is refused. In an existing stack write
    /// `IdentitySource: []` and check the authorizer afterwards, because a property that is only removed may stay. If
    /// every caller must send a token, correct the setting instead.
    id: "SG114",
    name: "identity-source-shuts-out-anonymous",
    severity: Error,
    confidence: High,
    rows: ["A2", "A4"],
    fixable: false,
    example: "authorizers/identity_source_shuts_out_anonymous.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let findings = websocket_authorizers(&context.facts).filter_map(|authorizer| {
        let (source, admitted) = source_locking_out(context.model, authorizer)?;
        let id = &authorizer.resource.logical_id;
        let message = format!(
            "callers without `{source}` never reach authorizer {id}, which would admit them"
        );
        let finding = Finding::new(
            &RULE,
            Location::of(&authorizer.resource, &["IdentitySource"]),
            message,
        )
        .related(admitted.location, admitted.label)
        .hint("remove `IdentitySource` and let the function tell callers apart");
        let computed = settings::is_computed(&authorizer.resource, &["IdentitySource"]);
        Some(match admitted.is_recorded {
            _ if computed || admitted.is_computed => settings::unless_overridden(finding),
            true => finding,
            false => finding.with_confidence(Confidence::Medium),
        })
    });
    findings.collect()
}
