//! HTTP client with the root certificates of this machine.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use stackgen_gateway_common::endpoints::{EndpointError, SendRequest};

/// Time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum size of a response that an integration reads. It is API Gateway's limit for responses of REST APIs.
const MAX_RESPONSE: usize = 10 * 1024 * 1024;

/// Client for `http` and `https`. It opens connections when they are needed, and follows no redirects.
#[derive(Debug)]
pub(crate) struct HttpClient {
    plain: Client<HttpConnector, Body>,
    /// Created with the first request, because reading the root certificates takes time.
    tls: OnceLock<Result<Client<HttpsConnector<HttpConnector>, Body>, String>>,
}

impl Default for HttpClient {
    fn default() -> Self {
        HttpClient {
            plain: Client::builder(TokioExecutor::new()).build(connector()),
            tls: OnceLock::new(),
        }
    }
}

impl HttpClient {
    /// Sends a request with an absolute URI. The bodies of the request and the response are streamed.
    pub(crate) async fn stream(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, EndpointError> {
        let uri = request.uri().clone();
        let failed = |reason: String| EndpointError {
            endpoint: endpoint(&uri),
            reason,
        };
        let response = match uri.scheme_str() {
            Some("https") => {
                let client = self.tls.get_or_init(secure_client).as_ref();
                let client = client.map_err(|reason| failed(reason.clone()))?;
                client.request(request).await
            }
            _ => self.plain.request(request).await,
        };
        response.map_err(|error| failed(root_cause(&error)))
    }
}

impl SendRequest for HttpClient {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, EndpointError>> {
        Box::pin(async move {
            let endpoint = endpoint(request.uri());
            let response = self.stream(request.map(Body::from)).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_RESPONSE).collect().await;
            let body = body.map_err(|error| EndpointError {
                endpoint,
                reason: root_cause(&*error),
            })?;
            Ok(Response::from_parts(head, body.to_bytes()))
        })
    }
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector
}

fn secure_client() -> Result<Client<HttpsConnector<HttpConnector>, Body>, String> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let builder = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider);
    let builder =
        builder.map_err(|error| format!("this machine has no root certificates: {error}"))?;
    let connector = builder
        .https_only()
        .enable_http1()
        .wrap_connector(connector());
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// Returns scheme and authority. Paths and query strings may contain secrets.
fn endpoint(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let host = uri.host().unwrap_or_default();
    match uri.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// Returns the message of the innermost cause, such as `Connection refused`.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_neither_path_nor_credentials() {
        for (uri, expected) in [
            ("http://user:secret@host:81/a?b=c", "http://host:81"),
            ("https://example.com/token", "https://example.com"),
            ("http://[::1]:9/", "http://[::1]:9"),
        ] {
            assert_eq!(endpoint(&uri.parse().unwrap()), expected);
        }
    }
}
