//! Authorization of signed requests.

use serde::Serialize;

/// Caller whose credentials come from an identity pool of Cognito, as events describe it in `requestContext.identity`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FederatedCaller {
    /// Identity pool.
    pub cognito_identity_pool_id: String,
    /// Identity.
    pub cognito_identity_id: String,
    /// `authenticated` or `unauthenticated`.
    pub cognito_authentication_type: &'static str,
    /// Provider of the login, for an authenticated identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cognito_authentication_provider: Option<String>,
    /// Account of the role.
    pub account_id: String,
    /// Access key.
    pub access_key: String,
    /// Session of the role: its ID and name.
    pub caller: String,
    /// The same as `caller`.
    pub user: String,
    /// ARN of the session.
    pub user_arn: String,
}

/// Authorizes callers of the management API (row K1) and of routes with IAM authorization (row A14).
pub trait Grants: Send + Sync + 'static {
    /// Returns true if the access key may perform the action on the resource. An unknown access key counts as an
    /// administrator of the account; a function is limited to its role.
    fn allows(&self, access_key: &str, action: &str, resource: &str) -> bool;

    /// Returns the identity of Cognito whose credentials have this access key.
    fn federated(&self, _access_key: &str) -> Option<FederatedCaller> {
        None
    }

    /// Returns the role of an access key that is limited to one.
    fn role_of(&self, _access_key: &str) -> Option<String> {
        None
    }

    /// Returns true if the access key may not do anything any more.
    fn has_expired(&self, _access_key: &str) -> bool {
        false
    }
}
