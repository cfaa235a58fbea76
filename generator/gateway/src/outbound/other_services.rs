//! Services that do not run here: their calls go to an endpoint of the user's, or are answered with an error.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, Version, header};
use stackgen_gateway_common::endpoints::SendRequest;
use stackgen_gateway_common::services::{ServiceError, not_run_message};
use stackgen_gateway_common::{Event, Events};
use tokio_util::sync::CancellationToken;

use super::client::HttpClient;
use super::errors::{WireProtocol, drain, operation};
use super::services_url::ServicesUrl;

/// Code of the errors. SDKs do not know it, and do not repeat calls that fail with it.
const CODE: &str = "ServiceNotRunLocally";

/// Maximum number of operations that are remembered as reported.
const MAX_REPORTED: usize = 1000;

/// Headers that are about one connection, and never forwarded. Expectations are met by the gateway itself.
const OF_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Services that do not run here.
#[derive(Debug, Default)]
pub struct OtherServices {
    client: Arc<HttpClient>,
    url: Option<ServicesUrl>,
    events: Events,
    reported: Mutex<BTreeSet<(String, String)>>,
    stop: CancellationToken,
}

impl OtherServices {
    /// Creates the services. Without a URL, all calls are answered with an error. Each operation that could not be called is
    /// reported once.
    pub fn new(url: Option<ServicesUrl>, events: Events) -> Self {
        OtherServices {
            client: Arc::default(),
            url,
            events,
            reported: Mutex::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Returns the client that sends the calls.
    pub(crate) fn client(&self) -> Arc<HttpClient> {
        self.client.clone()
    }

    /// Returns the URL of the endpoint that calls go to.
    pub fn url(&self) -> Option<&ServicesUrl> {
        self.url.as_ref()
    }

    /// Ends calls that wait for a response, such as long polls, with an error.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Answers a request of an AWS client: forwards it unchanged, or returns an error in the client's protocol.
    pub(crate) async fn answer(&self, service: &str, request: Request) -> Response {
        let Some(url) = &self.url else {
            let (head, body) = drain(request).await;
            let operation = operation(&head, &body);
            let message = not_run_message(service);
            self.report(service, operation, &message);
            let protocol = WireProtocol::of(service, &head);
            return protocol.error(StatusCode::BAD_REQUEST, CODE, &message);
        };
        let (mut head, body) = request.into_parts();
        let (protocol, name) = (WireProtocol::of(service, &head), operation(&head, &[]));
        head.uri = url.join(head.uri.path_and_query());
        remove_connection_headers(&mut head.headers);
        head.extensions.clear();
        // The client's own version says nothing about the endpoint's.
        head.version = Version::HTTP_11;
        let sent = self.client.stream(Request::from_parts(head, body));
        let Some(sent) = self.stop.run_until_cancelled(sent).await else {
            let message = "the local gateway stops";
            return protocol.error(StatusCode::SERVICE_UNAVAILABLE, CODE, message);
        };
        match sent {
            Ok(response) => {
                let (mut head, body) = response.into_parts();
                remove_connection_headers(&mut head.headers);
                Response::from_parts(head, Body::new(body))
            }
            Err(error) => {
                let message = format!("{service} is called through --services: {error}");
                self.report(service, name, &message);
                protocol.error(StatusCode::BAD_REQUEST, CODE, &message)
            }
        }
    }

    /// Sends the request of an integration, which has a relative URI.
    pub(crate) async fn send(
        &self,
        service: &str,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, ServiceError> {
        let Some(url) = &self.url else {
            return Err(ServiceError::NotSupported {
                service: service.to_owned(),
            });
        };
        let (mut head, body) = request.into_parts();
        head.uri = url.join(head.uri.path_and_query());
        let sent = self
            .client
            .send(http::Request::from_parts(head, body))
            .await;
        sent.map_err(|error| ServiceError::Unreachable {
            service: service.to_owned(),
            reason: format!("--services {}: {}", error.endpoint, error.reason),
        })
    }

    /// Reports an operation that could not be called, unless it was reported already.
    fn report(&self, service: &str, operation: String, reason: &str) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (service.to_owned(), operation);
        if reported.len() >= MAX_REPORTED || !reported.insert(key.clone()) {
            return;
        }
        let (service, operation) = key;
        self.events.send(|| Event::ServiceNotRun {
            service,
            operation,
            reason: reason.to_owned(),
        });
    }
}

/// Removes the headers that are about one connection, with those that `Connection` names.
fn remove_connection_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_CONNECTION) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_a_connection_are_not_forwarded() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("host", "127.0.0.1:4510"),
            ("authorization", "AWS4-HMAC-SHA256 …"),
        ] {
            headers.insert(
                name,
                http::HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        remove_connection_headers(&mut headers);
        let left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["host", "authorization"]);
    }
}
