//! What calls a function, and what it answers.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use thiserror::Error;

use crate::FunctionArn;

/// A payload: JSON, as bytes.
pub type Payload = Bytes;

/// Whatever runs functions. The data plane and the control plane know functions by this alone.
pub trait Invoke: Send + Sync + 'static {
    /// Calls a function and waits for its answer. Dropping the future gives up waiting; the function runs on, as it
    /// does on AWS when API Gateway's time is up.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Outcome, InvokeError>>;
}

/// One call of a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The function, and which of its versions.
    pub function: FunctionArn,
    /// The event.
    pub payload: Payload,
    /// Who calls, for the function's policy.
    pub caller: Caller,
    /// `Root=…`, what goes on into `Lambda-Runtime-Trace-Id`.
    pub trace_id: String,
}

/// Who calls a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// API Gateway as `apigateway.amazonaws.com`, for this route or authorizer (rows C7, A16): the function's policy decides.
    ApiGateway {
        /// `arn:…:execute-api:…:{api}/{stage}/{route}` or `…:{api}/authorizers/{id}`.
        source_arn: String,
    },
    /// API Gateway as a role (row D19): the role's policy decides.
    Role(String),
    /// Somebody of this account: the `aws` command, another function.
    Account,
}

/// What came of a call that reached a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The answer, or for an error `{"errorMessage": …, "errorType": …}`.
    pub payload: Payload,
    /// True when the function failed: it threw, it timed out, or its process ended.
    pub failed: bool,
    /// The version that ran: `$LATEST` or a number.
    pub executed_version: String,
    /// Lambda's request id.
    pub request_id: String,
    /// How long it took, without the start of a process.
    pub duration: Duration,
}

/// Why a call did not reach a function.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct InvokeError {
    /// Which of Lambda's errors.
    pub kind: InvokeErrorKind,
    /// What a person reads.
    pub message: String,
}

/// The errors of Lambda's `Invoke` that can happen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvokeErrorKind {
    /// `ResourceNotFoundException`, 404: no such function, version or alias.
    NotFound,
    /// `AccessDeniedException`, 403: the function's policy, or the role, does not allow it.
    AccessDenied,
    /// `TooManyRequestsException`, 429: all environments are busy.
    TooManyRequests,
    /// `RequestTooLargeException`, 413: over 6 MB.
    TooLarge,
    /// The code cannot be run on this machine: not built, another architecture, no runtime interface client.
    Unrunnable,
}
