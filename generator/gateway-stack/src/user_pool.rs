//! User pools of Cognito in a template. They do not run here, but the local issuer can sign tokens in their names.

use stackgen_model::Model;

use super::attributes;
use super::physical::PhysicalIds;

/// User pool of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPool {
    /// Issuer of the pool's tokens: `https://cognito-idp.{region}.amazonaws.com/{pool}`.
    pub issuer: String,
    /// IDs of the pool's clients.
    pub clients: Vec<String>,
}

/// Returns the user pools of a template, with the clients that refer to them.
pub(super) fn user_pools(model: &Model, ids: &PhysicalIds<'_>) -> Vec<UserPool> {
    let of_kind = |kind: &'static str| model.resources.values().filter(move |one| one.kind == kind);
    let pools = of_kind("AWS::Cognito::UserPool").filter_map(|pool| {
        let id = ids.id(&pool.logical_id).ok()?;
        let clients = of_kind("AWS::Cognito::UserPoolClient").filter(|client| {
            let owner = client.properties.text("UserPoolId");
            owner.is_some_and(|owner| {
                owner
                    .references()
                    .any(|it| it.logical_id == pool.logical_id)
            })
        });
        let issuer = attributes::value(ids.scope, &pool.kind, &id, "", Some("ProviderURL"));
        Some(UserPool {
            issuer,
            clients: clients
                .filter_map(|client| ids.id(&client.logical_id).ok())
                .collect(),
        })
    });
    pools.collect()
}
