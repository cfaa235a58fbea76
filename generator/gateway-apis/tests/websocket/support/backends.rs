//! Test double of HTTP endpoints and services.

use std::sync::Mutex;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use stackgen_gateway_common::endpoints::{EndpointError, SendRequest};
use stackgen_gateway_common::services::{CallService, ServiceCall, ServiceError};

/// Reaction of a backend to a request.
#[derive(Clone, Debug)]
pub(crate) enum BackendReply {
    /// Answers with a status, headers and a body.
    Answer(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// Refuses the connection.
    Unreachable,
    /// Never answers.
    Hang,
}

/// Endpoints and services that give one answer and record what they receive.
pub(crate) struct Backends {
    reply: Mutex<BackendReply>,
    requests: Mutex<Vec<Request<Bytes>>>,
    calls: Mutex<Vec<ServiceCall>>,
}

impl Default for Backends {
    fn default() -> Self {
        Backends {
            reply: Mutex::new(BackendReply::Answer(200, Vec::new(), "")),
            requests: Mutex::default(),
            calls: Mutex::default(),
        }
    }
}

impl Backends {
    /// Sets the reply to all requests.
    pub(crate) fn always(&self, reply: BackendReply) {
        *self.reply.lock().unwrap() = reply;
    }

    /// Removes and returns the only request that an endpoint received.
    pub(crate) fn request(&self) -> Request<Bytes> {
        let mut requests = self.requests.lock().unwrap();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    /// Removes and returns the only call that a service received.
    pub(crate) fn call(&self) -> ServiceCall {
        let mut calls = self.calls.lock().unwrap();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }

    /// Returns the number of requests and calls that wait to be removed.
    pub(crate) fn waiting(&self) -> usize {
        self.requests.lock().unwrap().len() + self.calls.lock().unwrap().len()
    }

    fn reply(&self) -> BackendReply {
        self.reply.lock().unwrap().clone()
    }
}

fn response(status: u16, headers: Vec<(&str, &str)>, body: &'static str) -> Response<Bytes> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Bytes::from(body)).unwrap()
}

impl SendRequest for Backends {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, EndpointError>> {
        let endpoint = request.uri().authority().unwrap().to_string();
        self.requests.lock().unwrap().push(request);
        let reply = self.reply();
        Box::pin(async move {
            match reply {
                BackendReply::Answer(status, headers, body) => Ok(response(status, headers, body)),
                BackendReply::Unreachable => Err(EndpointError {
                    endpoint,
                    reason: "connection refused".to_owned(),
                }),
                BackendReply::Hang => std::future::pending().await,
            }
        })
    }
}

impl CallService for Backends {
    fn call(&self, call: ServiceCall) -> BoxFuture<'_, Result<Response<Bytes>, ServiceError>> {
        let service = call.service.clone();
        self.calls.lock().unwrap().push(call);
        let reply = self.reply();
        Box::pin(async move {
            match reply {
                BackendReply::Answer(status, headers, body) => Ok(response(status, headers, body)),
                BackendReply::Unreachable => Err(ServiceError::NotSupported { service }),
                BackendReply::Hang => std::future::pending().await,
            }
        })
    }
}
