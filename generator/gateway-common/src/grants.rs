//! Authorization of signed requests.

/// Authorizes callers of the management API (row K1) and of routes with IAM authorization (row A14).
pub trait Grants: Send + Sync + 'static {
    /// Returns true if the access key may perform the action on the resource. An unknown access key counts as an
    /// administrator of the account; a function is limited to its role.
    fn allows(&self, access_key: &str, action: &str, resource: &str) -> bool;

    /// Returns the ARN of the caller, for messages.
    fn principal(&self, access_key: &str) -> String {
        format!("arn:aws:iam::000000000000:user/{access_key}")
    }
}
