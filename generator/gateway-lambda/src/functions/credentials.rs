//! AWS credentials of a function's processes.

use stackgen_gateway_common::resource_id;

/// AWS credentials of a function's processes. The gateway does not verify signatures; the access key identifies the
/// function.
#[derive(Clone)]
pub(super) struct FunctionCredentials {
    pub(super) access_key: String,
    pub(super) secret_key: String,
    pub(super) session_token: String,
}

impl FunctionCredentials {
    /// Generates random credentials.
    pub(super) fn generate() -> Self {
        FunctionCredentials {
            access_key: format!("ASIA{}", resource_id(16).to_ascii_uppercase()),
            secret_key: resource_id(40),
            session_token: resource_id(64),
        }
    }
}
