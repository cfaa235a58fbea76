//! Services that do not run here: their calls go to an endpoint of the user's, or are answered with an error.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{StatusCode, Version};
use stackgen_gateway_common::endpoints::SendRequest;
use stackgen_gateway_common::services::{ServiceError, not_run_message};
use stackgen_gateway_common::{Event, Events};
use tokio_util::sync::CancellationToken;

use stackgen_gateway_common::body::read_all;
use stackgen_gateway_lambda::functions::Functions;

use super::account::{AccountAccess, AccountCalls};
use super::client::HttpClient;
use super::connection_headers::remove_connection_headers;
use super::errors::{WireProtocol, drain, operation};
use super::services_url::ServicesUrl;

/// Code of the errors. SDKs do not know it, and do not repeat calls that fail with it.
const CODE: &str = "ServiceNotRunLocally";

/// Maximum size of a request to the account, which is read whole because its hash is verified.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// Maximum number of operations that are remembered as reported.
const MAX_REPORTED: usize = 1000;

/// Services that do not run here.
#[derive(Debug, Default)]
pub struct OtherServices {
    client: Arc<HttpClient>,
    url: Option<ServicesUrl>,
    account: Option<AccountCalls>,
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
            account: None,
            events,
            reported: Mutex::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Sends the calls to an account of AWS. Requests must be signed with the secrets of these functions.
    #[must_use]
    pub(crate) fn with_account(
        mut self,
        access: Option<AccountAccess>,
        functions: Arc<Functions>,
    ) -> Self {
        let client = self.client.clone();
        self.account = access.map(|access| AccountCalls::new(access, client, functions));
        self
    }

    /// Returns the description of the account that calls go to.
    pub(crate) fn account(&self) -> Option<String> {
        Some(self.account.as_ref()?.description())
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
        if let Some(account) = &self.account {
            return self.answer_from(account, service, request).await;
        }
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

    /// Answers a request from the account, if a function signed it.
    async fn answer_from(
        &self,
        account: &AccountCalls,
        service: &str,
        request: Request,
    ) -> Response {
        let (head, body) = request.into_parts();
        let protocol = WireProtocol::of(service, &head);
        let body = match read_all(body, MAX_BODY).await {
            Ok(body) => body,
            Err(size) => {
                let message =
                    format!("a request of {size} bytes is not sent to AWS: at most {MAX_BODY} are");
                self.report(service, operation(&head, &[]), &message);
                return protocol.error(StatusCode::PAYLOAD_TOO_LARGE, CODE, &message);
            }
        };
        let name = operation(&head, &body);
        let call = async {
            let caller = account.verify(&head, &body)?;
            let request = account
                .sign(&caller.service, http::Request::from_parts(head, body))
                .await?;
            let sent = account.send(request).await;
            self.report_call(caller.function, &caller.service, &name, sent.as_ref().ok());
            sent
        };
        match self.stop.run_until_cancelled(call).await {
            None => {
                let message = "the local gateway stops";
                protocol.error(StatusCode::SERVICE_UNAVAILABLE, CODE, message)
            }
            Some(Ok(response)) => response.map(Body::from),
            Some(Err(error)) => {
                let message = format!("{service} is not called in AWS: {error}");
                self.report(service, name, &message);
                protocol.error(StatusCode::FORBIDDEN, CODE, &message)
            }
        }
    }

    fn report_call(
        &self,
        caller: String,
        service: &str,
        operation: &str,
        response: Option<&http::Response<Bytes>>,
    ) {
        self.events.send(Event::AccountCalled {
            caller,
            service: service.to_owned(),
            operation: operation.to_owned(),
            status: response.map(|response| response.status().as_u16()),
        });
    }

    /// Sends the request of an integration, which has a relative URI. It never goes to the account: nobody signed it.
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
        self.events.send(Event::ServiceNotRun {
            service,
            operation,
            reason: reason.to_owned(),
        });
    }
}
