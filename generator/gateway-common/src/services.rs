//! Interface for calls of AWS services by integrations of the type `AWS`.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use thiserror::Error;

/// Calls AWS services other than Lambda.
pub trait CallService: Send + Sync + 'static {
    /// Calls an action of a service as a role.
    fn call(&self, call: ServiceCall) -> BoxFuture<'_, Result<ServiceAnswer, ServiceError>>;
}

/// Call of a service's action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCall {
    /// Service of the integration URI: `dynamodb`.
    pub service: String,
    /// Action of the integration URI: `PutItem`.
    pub action: String,
    /// Request, as the request template renders it.
    pub body: Bytes,
    /// Role of the integration.
    pub role: String,
}

/// Answer of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers with text values.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Bytes,
}

/// Reason why a service gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ServiceError {
    /// The local gateway has no such service.
    #[error("the local gateway has no {service}: integrations reach DynamoDB and functions only")]
    NotSupported {
        /// The service.
        service: String,
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

/// No services, for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoServices;

impl CallService for NoServices {
    fn call(&self, call: ServiceCall) -> BoxFuture<'_, Result<ServiceAnswer, ServiceError>> {
        let service = call.service;
        Box::pin(async { Err(ServiceError::NotSupported { service }) })
    }
}
