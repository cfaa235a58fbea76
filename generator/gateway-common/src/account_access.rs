//! Interface for calls that leave the machine for the user's account of AWS.

use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Request;
use thiserror::Error;

/// Signs requests with the credentials of an account.
pub trait SignRequest: fmt::Debug + Send + Sync + 'static {
    /// Signs a request with an absolute URI, for a service by its signing name.
    ///
    /// # Errors
    ///
    /// If there are no credentials any more, or the request cannot be signed.
    fn sign<'a>(
        &'a self,
        service: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Result<Request<Bytes>, SignError>>;
}

/// Reason why a request was not signed. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("cannot sign the request: {0}")]
pub struct SignError(pub String);

/// Credentials of a function's processes.
#[derive(Clone)]
pub struct FunctionSecret {
    /// Name of the function.
    pub function: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token.
    pub session_token: String,
}

/// Without the secrets.
impl fmt::Debug for FunctionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FunctionSecret({})", self.function)
    }
}
