use stackgen_model::Authorizer;

use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::facts::settings;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An authorizer had an identity source in the earlier revision, and it is removed instead of set to `[]`.
    ///
    /// ## Why it hurts
    ///
    /// An update says what changes, and a property that is absent is left as it was: the template has no identity source,
    /// the authorizer may still have it, and callers without it go on getting 401 without the authorizer being invoked (row
    /// A2). It is known of authorizers of REST APIs, and of the `AuthorizationType` of routes of this kind of API.
    ///
    /// ## How to fix it
    ///
    /// Write `IdentitySource: []`, which is accepted (row A4), and look at the authorizer once after the update, or give it
    /// a new logical id and name, so that a new one is made. Seen with `--previous`.
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
    let is_lost = resource.properties.get("IdentitySource").is_none();
    if !is_lost || !same_api || had.is_empty() || !settings::is_set(earlier, "IdentitySource") {
        return None;
    }
    let message = format!(
        "authorizer {} may keep the identity source that it had, because none is written",
        resource.logical_id
    );
    Some(
        Finding::new(&RULE, Location::of(resource, &[]), message)
            .hint("write `IdentitySource: []`"),
    )
}
