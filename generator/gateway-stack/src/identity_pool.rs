//! Identity pools of Cognito in a template, with the roles of their identities.

use stackgen_model::{Model, Resolved, Resource};

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
    /// Providers of logins; `None` if the template does not determine all of them.
    pub providers: Option<Vec<String>>,
}

impl IdentityPool {
    /// Returns true if logins at a provider are accepted.
    pub fn accepts(&self, provider: &str) -> bool {
        let providers = self.providers.as_ref();
        providers.is_none_or(|all| all.iter().any(|one| one == provider))
    }
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
            providers: providers(pool, ids),
        })
    });
    pools.collect()
}

/// Returns the names of a pool's providers as logins have them; `None` if one is unknown.
fn providers(pool: &Resource, ids: &PhysicalIds<'_>) -> Option<Vec<String>> {
    let list = |name: &str| match pool.properties.get(name) {
        None | Some(Resolved::Null) => Some(Vec::new()),
        Some(Resolved::List(items)) => Some(items.iter().collect()),
        Some(_) => None,
    };
    let text = |value: &Resolved| ids.resolve_text(&value.to_text()?).ok();
    let mut providers = Vec::new();
    for user_pool in list("CognitoIdentityProviders")? {
        providers.push(text(user_pool.at_path(&["ProviderName"])?)?);
    }
    for arn in [
        list("OpenIdConnectProviderARNs")?,
        list("SamlProviderARNs")?,
    ]
    .concat()
    {
        let arn = text(arn)?;
        // An OpenID Connect provider is named as its URL, a SAML provider by its ARN.
        let url = arn
            .split_once(":oidc-provider/")
            .map(|(_, url)| url.to_owned());
        providers.push(url.unwrap_or(arn));
    }
    match pool.properties.get("SupportedLoginProviders") {
        None | Some(Resolved::Null) => {}
        Some(Resolved::Map(named)) => providers.extend(named.keys().cloned()),
        Some(_) => return None,
    }
    match pool.properties.get("DeveloperProviderName") {
        None | Some(Resolved::Null) => {}
        Some(name) => providers.push(text(name)?),
    }
    Some(providers)
}
