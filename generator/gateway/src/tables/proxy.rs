//! Forwards requests for DynamoDB from the control endpoint.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::uri::{Authority, Scheme};
use http::{StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Address of the DynamoDB endpoint and the client for it.
#[derive(Clone)]
struct ProxyTarget {
    client: Client<HttpConnector, Body>,
    authority: Authority,
}

/// Returns a router that forwards every request to this address.
pub(super) fn router(address: SocketAddr) -> Router {
    let authority = Authority::from_maybe_shared(address.to_string())
        .expect("an address with its port is an authority");
    let client = Client::builder(TokioExecutor::new()).build_http();
    Router::new()
        .fallback(forward)
        .with_state(ProxyTarget { client, authority })
}

async fn forward(State(endpoint): State<ProxyTarget>, mut request: Request) -> Response {
    let mut uri = std::mem::take(request.uri_mut()).into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(endpoint.authority);
    let Ok(uri) = Uri::from_parts(uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    match endpoint.client.request(request).await {
        Ok(response) => response.map(Body::new),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
