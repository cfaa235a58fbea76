//! Identity pools of Cognito in a template, with the roles of their identities.

use stackgen_model::{Model, Resolved};

use super::attributes;
use super::physical::PhysicalIds;

/// Identity pool of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityPool {
    /// ID: `{region}:{UUID}`.
    pub id: String,
    /// True if identities need no login.
    pub allows_unauthenticated: bool,
    /// ARN of the role of identities without a login.
    pub unauthenticated_role: Option<String>,
    /// ARN of the role of identities with a login.
    pub authenticated_role: Option<String>,
}

/// Returns the identity pools of a template.
pub(super) fn identity_pools(model: &Model, ids: &PhysicalIds<'_>) -> Vec<IdentityPool> {
    let of_kind = |kind: &'static str| model.resources.values().filter(move |one| one.kind == kind);
    let pools = of_kind("AWS::Cognito::IdentityPool").filter_map(|pool| {
        let id = ids.id(&pool.logical_id).ok()?;
        let attachment = of_kind("AWS::Cognito::IdentityPoolRoleAttachment").find(|attachment| {
            let owner = attachment.properties.text("IdentityPoolId");
            owner.is_some_and(|owner| {
                owner
                    .references()
                    .any(|it| it.logical_id == pool.logical_id)
            })
        });
        let role = |name: &str| {
            let role = attachment?
                .properties
                .at_path(&["Roles", name])?
                .to_text()?;
            ids.resolve_text(&role).ok()
        };
        let allows = pool.properties.get("AllowUnauthenticatedIdentities");
        Some(IdentityPool {
            id: attributes::value(ids.scope, &pool.kind, &id, "", None),
            allows_unauthenticated: match allows {
                Some(Resolved::Bool(allows)) => *allows,
                Some(other) => other
                    .to_text()
                    .is_some_and(|it| it.as_literal() == Some("true")),
                None => false,
            },
            unauthenticated_role: role("unauthenticated"),
            authenticated_role: role("authenticated"),
        })
    });
    pools.collect()
}
