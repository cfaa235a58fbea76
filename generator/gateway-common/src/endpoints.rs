//! Interface for requests to HTTP endpoints.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use thiserror::Error;

/// Sends requests of integrations of the types `HTTP` and `HTTP_PROXY`.
pub trait SendRequest: Send + Sync + 'static {
    /// Sends a request with an absolute URI, and reads the whole response. Redirects are not followed.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, EndpointError>>;
}

/// Reason why an endpoint gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{endpoint} cannot be reached: {reason}")]
pub struct EndpointError {
    /// Scheme and authority of the endpoint.
    pub endpoint: String,
    /// The reason.
    pub reason: String,
}

/// No endpoints, for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEndpoints;

impl SendRequest for NoEndpoints {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, EndpointError>> {
        let endpoint = request.uri().to_string();
        Box::pin(async {
            Err(EndpointError {
                endpoint,
                reason: "there are no endpoints".to_owned(),
            })
        })
    }
}
