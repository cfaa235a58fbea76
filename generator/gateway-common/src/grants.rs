//! Who may do what, told by the access key that a request was signed with.

/// Decides about callers of @connections (row K1) and of routes with IAM authorization (row A14).
pub trait Grants: Send + Sync + 'static {
    /// True when the caller may. A caller of whom nothing is known is an administrator of the account; a function is
    /// held to its role.
    fn allows(&self, access_key: &str, action: &str, resource: &str) -> bool;
}
