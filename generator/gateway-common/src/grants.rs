//! Authorization of signed requests.

/// Authorizes callers of the management API (row K1) and of routes with IAM authorization (row A14).
pub trait Grants: Send + Sync + 'static {
    /// Returns true if the access key may perform the action on the resource. An unknown access key counts as an
    /// administrator of the account; a function is limited to its role.
    fn allows(&self, access_key: &str, action: &str, resource: &str) -> bool;

    /// Returns the role of a function's access key.
    fn role_of(&self, _access_key: &str) -> Option<String> {
        None
    }
}
