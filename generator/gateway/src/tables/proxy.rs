//! Requests for DynamoDB that arrive at the one endpoint of all services.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// True for requests of DynamoDB's protocol: `X-Amz-Target: DynamoDB_20120810.GetItem`.
pub fn is_for_dynamodb(headers: &HeaderMap) -> bool {
    headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .is_some_and(|target| {
            target.starts_with("DynamoDB_20120810.")
                || target.starts_with("DynamoDBStreams_20120810.")
        })
}

/// Hands requests of AWS clients that arrived elsewhere to the endpoint, and its answers back.
#[derive(Clone, Debug)]
pub struct Forward {
    client: Client<HttpConnector, Body>,
    authority: Authority,
}

impl Forward {
    pub(super) fn to(address: SocketAddr) -> Self {
        let authority = Authority::from_maybe_shared(address.to_string())
            .expect("an address with its port is an authority");
        let client = Client::builder(TokioExecutor::new()).build_http();
        Forward { client, authority }
    }

    /// Hands one request on, as it is: for those that [`is_for_dynamodb`].
    pub async fn request(&self, mut request: Request) -> Response {
        let mut uri = std::mem::take(request.uri_mut()).into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(self.authority.clone());
        let Ok(uri) = Uri::from_parts(uri) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        *request.uri_mut() = uri;
        match self.client.request(request).await {
            Ok(response) => response.map(Body::new),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    }
}
