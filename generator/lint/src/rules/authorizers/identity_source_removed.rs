use stackgen_model::Authorizer;

use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The identity source of an authorizer is removed, instead of set to `[]`.
    ///
    /// ## Why it hurts
    ///
    /// An update does not reset a property that the template no longer sets. The authorizer may keep its identity
    /// source, and callers without it still get 401 without an invocation of the authorizer (row A2). This is known for
    /// authorizers of REST APIs and for the `AuthorizationType` of routes of WebSocket APIs.
    ///
    /// ## How to fix it
    ///
    /// Write `IdentitySource: []`, which API Gateway accepts (row A4), and check the authorizer once after the update.
    /// Or give it a new logical ID and name, so that CloudFormation creates a new one. This rule needs `--previous`.
    id: "SG123",
    name: "identity-source-removed",
    severity: Warning,
    confidence: Medium,
    rows: ["A2", "A4"],
    fixable: false,
    example: "authorizers/identity_source_removed.diff",
    compares: true,
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    websocket_authorizers(&context.facts)
        .filter_map(|authorizer| check_authorizer(context, authorizer))
        .collect()
}

fn check_authorizer(context: &RuleContext<'_>, authorizer: &Authorizer) -> Option<Finding> {
    let resource = &authorizer.resource;
    let earlier = context.previous?.resource(&resource.logical_id)?;
    let same_api = earlier.properties.text("ApiId") == resource.properties.text("ApiId");
    let had = earlier.properties.get("IdentitySource")?.one_or_many();
    let is_removed = resource.properties.get("IdentitySource").is_none();
    if !is_removed || !same_api || had.is_empty() || !settings::is_set(earlier, "IdentitySource") {
        return None;
    }
    let message = format!(
        "authorizer {} may keep the identity source of the earlier revision, because nothing replaces it",
        resource.logical_id
    );
    Some(
        Finding::new(&RULE, Location::of(resource, &[]), message)
            .hint("write `IdentitySource: []`"),
    )
}
