//! Interface for calls of AWS services by integrations of the type `AWS`.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Response};
use thiserror::Error;

/// Calls AWS services other than Lambda.
pub trait CallService: Send + Sync + 'static {
    /// Calls an action or a path of a service as a role, and reads the whole response.
    fn call(&self, call: ServiceCall) -> BoxFuture<'_, Result<Response<Bytes>, ServiceError>>;
}

/// Call of a service by an integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCall {
    /// Service of the integration URI, without a subdomain: `dynamodb`.
    pub service: String,
    /// Action or path.
    pub operation: ServiceOperation,
    /// Method of the request.
    pub method: Method,
    /// Headers of the integration's request parameters.
    pub headers: HeaderMap,
    /// Query string of the integration's request parameters, encoded.
    pub query: String,
    /// Request, as the request template renders it.
    pub body: Bytes,
    /// Role of the integration.
    pub role: String,
}

/// Last part of the URI of an integration with a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceOperation {
    /// Action of a service: `PutItem`. Parameters may follow it: `Publish&TopicArn=…`.
    Action(String),
    /// Path of the request, which begins with a slash.
    Path(String),
}

/// Reason why a service gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServiceError {
    /// The local gateway has no such service, and no endpoint for other services.
    #[error("{}", not_run_message(service))]
    NotSupported {
        /// The service.
        service: String,
    },
    /// Calls of integrations do not go to the user's account.
    #[error(
        "with `--aws`, only requests that a function signed are sent to AWS, and integrations sign nothing: call {service} in a function, or use --services URL"
    )]
    NotSent {
        /// The service.
        service: String,
    },
    /// The protocol of the service's actions is not known.
    #[error(
        "the protocol of {service}'s actions is not known here: use a URI with `path/` instead of `action/{action}`, and set the headers of the request in RequestParameters"
    )]
    UnknownProtocol {
        /// The service.
        service: String,
        /// The action.
        action: String,
    },
    /// The request that the integration describes is not a valid one.
    #[error("cannot call {service}: {reason}")]
    InvalidRequest {
        /// The service.
        service: String,
        /// The reason.
        reason: String,
    },
    /// The connection to the service failed.
    #[error("{service} cannot be reached: {reason}")]
    Unreachable {
        /// The service.
        service: String,
        /// The reason.
        reason: String,
    },
}

/// Explains that a service does not run in the local gateway, and what to do.
pub fn not_run_message(service: &str) -> String {
    format!(
        "the local gateway has no {service}; start `stackgen dev` with --services URL to send its calls to an emulator of AWS"
    )
}

/// No services, for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoServices;

impl CallService for NoServices {
    fn call(&self, call: ServiceCall) -> BoxFuture<'_, Result<Response<Bytes>, ServiceError>> {
        let service = call.service;
        Box::pin(async { Err(ServiceError::NotSupported { service }) })
    }
}
