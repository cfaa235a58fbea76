//! Interface for invoking functions.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use thiserror::Error;
use tokio::sync::mpsc::UnboundedSender;

use crate::FunctionArn;

/// JSON payload as bytes.
pub type Payload = Bytes;

/// Invokes functions. The data plane and the control plane use only this interface.
pub trait Invoke: Send + Sync + 'static {
    /// Invokes a function and waits for its answer. If the future is dropped, the function keeps running, as on AWS after
    /// API Gateway's timeout.
    fn invoke(
        &self,
        invocation: Invocation,
    ) -> BoxFuture<'_, Result<InvocationOutcome, InvokeError>>;
}

/// Invocation of a function.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// ARN of the function, with the qualifier that the caller uses.
    pub function: FunctionArn,
    /// Event.
    pub payload: Payload,
    /// Caller, which determines the policy to check.
    pub caller: InvocationCaller,
    /// `Root=…`, passed to the function as `Lambda-Runtime-Trace-Id`.
    pub trace_id: String,
    /// Receives the log lines of the invocation when it has ended, if the caller wants them.
    pub log: Option<UnboundedSender<Vec<String>>>,
}

/// Caller of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvocationCaller {
    /// API Gateway as `apigateway.amazonaws.com`, for a route or an authorizer. The function's policy decides (rows C7, A16).
    ApiGateway {
        /// `arn:…:execute-api:…:{api}/{stage}/{route}` or `…:{api}/authorizers/{id}`.
        source_arn: String,
    },
    /// Another service of AWS, for a rule or a subscription. The function's policy decides.
    Service {
        /// Principal: `events.amazonaws.com`.
        principal: &'static str,
        /// ARN of the rule or the topic.
        source_arn: String,
    },
    /// API Gateway or EventBridge Scheduler with this role. The role's policy decides (row D19).
    Role(String),
    /// Caller with permissions in this account, such as the `aws` command.
    Account,
}

/// Result of an invocation that reached the function.
#[derive(Clone, Debug, PartialEq)]
pub struct InvocationOutcome {
    /// Answer of the function, or `{"errorMessage": …, "errorType": …}` if it failed.
    pub payload: Payload,
    /// True if the function threw an error, timed out, or its process ended.
    pub failed: bool,
    /// Version that ran: `$LATEST` or a number.
    pub executed_version: String,
    /// Lambda's request ID.
    pub request_id: String,
    /// Duration without the start of a process.
    pub duration: Duration,
}

/// Reason why an invocation did not reach a function.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct InvokeError {
    /// Lambda's error type.
    pub kind: InvokeErrorKind,
    /// Message for people.
    pub message: String,
}

/// Error types of `Invoke` that the local Lambda can return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvokeErrorKind {
    /// `ResourceNotFoundException`, 404: the function, version or alias does not exist.
    NotFound,
    /// `AccessDeniedException`, 403: the function's policy or the role does not allow the invocation.
    AccessDenied,
    /// `TooManyRequestsException`, 429: all environments are busy.
    TooManyRequests,
    /// `RequestTooLargeException`, 413: the payload is larger than 6 MB.
    TooLarge,
    /// The code cannot run on this machine: it is not built, is for another architecture, or has no runtime interface client.
    Unrunnable,
}
