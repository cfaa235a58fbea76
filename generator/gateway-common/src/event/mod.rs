//! Events of a gateway, for users to follow.

mod details;
mod kept;
mod log;
mod masking;
mod recorded;
mod stream;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{ApiId, ConnectionId, DeploymentId, FailureEvidence, RouteKey, StageName};

pub use details::{
    AuthorizerCall, FrameText, FunctionCall, HandshakeDetails, JsonText, NamedValue, NamedValues,
};
pub use log::{EventReceiver, Events};
pub use recorded::RecordedEvent;
pub use stream::{StreamLine, StreamNote, stream_schema};

/// Something that happened in a gateway. `stackgen dev` prints one line per event.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "event"
)]
pub enum Event {
    /// A handshake was accepted.
    Connected {
        /// API.
        #[schemars(with = "String")]
        api: ApiId,
        /// Stage.
        #[schemars(with = "String")]
        stage: StageName,
        /// Connection.
        #[schemars(with = "String")]
        connection: ConnectionId,
        /// Principal ID that the authorizer returned.
        principal: Option<String>,
        /// Request, authorizer and `$connect`.
        handshake: Box<HandshakeDetails>,
        /// Time from the request to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// A handshake was refused.
    Refused {
        /// API.
        #[schemars(with = "String")]
        api: ApiId,
        /// Stage, as the path names it.
        #[schemars(with = "String")]
        stage: StageName,
        /// Connection ID that the answer names. The connection was never open.
        #[schemars(with = "String")]
        connection: ConnectionId,
        /// Status of the handshake, which browsers hide.
        status: u16,
        /// Reason in words.
        reason: String,
        /// Row of the reference.
        row: &'static str,
        /// Evidence of the function that failed, if one was called.
        evidence: Option<FailureEvidence>,
        /// Request, authorizer and `$connect`.
        handshake: Box<HandshakeDetails>,
        /// Time from the request to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// A message was routed, or refused with an error frame.
    Message {
        /// Connection.
        #[schemars(with = "String")]
        connection: ConnectionId,
        /// Selected route; `None` if no route matched.
        #[schemars(with = "Option<String>")]
        route: Option<RouteKey>,
        /// Size of the message in bytes.
        bytes: usize,
        /// Message, in which tokens are masked.
        body: FrameText,
        /// Function that was called.
        call: Option<FunctionCall>,
        /// Frame that was sent back: an answer or an error frame.
        answer: Option<FrameText>,
        /// Outcome.
        outcome: MessageOutcome,
        /// Evidence of the function that failed, if one was called.
        evidence: Option<FailureEvidence>,
        /// Time from the message to the answer of its function.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// A client of the management API posted to a connection.
    Posted {
        /// Connection.
        #[schemars(with = "String")]
        connection: ConnectionId,
        /// Size of the message in bytes.
        bytes: usize,
        /// Message, in which tokens are masked; `None` if it was refused unread.
        body: Option<FrameText>,
        /// Status of the answer: 200, 410, 429, …
        status: u16,
        /// Reason of a refusal, if more is known than the status.
        reason: Option<String>,
    },
    /// A connection closed.
    Closed {
        /// Connection.
        #[schemars(with = "String")]
        connection: ConnectionId,
        /// Close code (`disconnectStatusCode`).
        code: u16,
        /// Close reason (`disconnectReason`).
        reason: String,
        /// Explanation in words.
        meaning: &'static str,
        /// Row of the reference.
        row: &'static str,
        /// Time since the handshake.
        #[serde(rename = "ageMillis", serialize_with = "millis")]
        #[schemars(with = "f64")]
        age: Duration,
    },
    /// The `$disconnect` function was called and did not fail.
    Disconnected {
        /// Connection.
        #[schemars(with = "String")]
        connection: ConnectionId,
        /// Function that was called.
        call: Option<FunctionCall>,
        /// Time from the close to the answer of the function.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// The `$disconnect` function failed or could not be called (row M18).
    DisconnectFailed {
        /// Connection.
        #[schemars(with = "String")]
        connection: ConnectionId,
        /// Reason in words.
        reason: String,
        /// Evidence of the function, if it was called.
        evidence: Option<FailureEvidence>,
    },
    /// An HTTP API answered a request.
    Request {
        /// API.
        #[schemars(with = "String")]
        api: ApiId,
        /// Method, such as `GET`.
        method: String,
        /// Path with the names of query parameters, in which tokens are masked.
        #[serde(serialize_with = "details::without_tokens")]
        path: String,
        /// Selected route.
        #[schemars(with = "Option<String>")]
        route: Option<RouteKey>,
        /// Status of the answer.
        status: u16,
        /// Reason in words, if API Gateway itself gave the answer.
        reason: Option<String>,
        /// Time from the request to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// A deployment was created.
    Deployed {
        /// API.
        #[schemars(with = "String")]
        api: ApiId,
        /// Deployment.
        #[schemars(with = "String")]
        deployment: DeploymentId,
        /// Description of the deployment.
        description: Option<String>,
    },
    /// A stage was pointed at another deployment.
    Activated {
        /// API.
        #[schemars(with = "String")]
        api: ApiId,
        /// Stage.
        #[schemars(with = "String")]
        stage: StageName,
        /// Deployment that the stage served before.
        #[schemars(with = "Option<String>")]
        previous: Option<DeploymentId>,
        /// Deployment that the stage serves now.
        #[schemars(with = "Option<String>")]
        deployment: Option<DeploymentId>,
    },
    /// Wiring changed, and a stage does not serve the change until the API is deployed.
    Undeployed {
        /// API.
        #[schemars(with = "String")]
        api: ApiId,
        /// Changed part: `route ping`, `integration abc1234`.
        what: String,
    },
    /// A function wrote a log line, or Lambda wrote one about it.
    Log {
        /// Function name.
        function: String,
        /// Log line without the line break.
        line: String,
    },
    /// A call of a service that does not run here could not be answered. The first call of each operation is reported.
    ServiceNotRun {
        /// Service: `sqs`.
        service: String,
        /// Operation, such as `SendMessage`, or the method of a request to a path.
        operation: String,
        /// Reason and remedy.
        reason: String,
    },
    /// An event source mapping invoked its function with a batch of records.
    Batch {
        /// Queue or table.
        source: String,
        /// Function name.
        function: String,
        /// Number of records in the batch.
        records: usize,
        /// Number of records that were not processed.
        failed: usize,
        /// Reason in words, if records were not processed.
        reason: Option<String>,
        /// Evidence of the function that failed.
        evidence: Option<FailureEvidence>,
        /// Time from the invocation to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// A schedule called its target.
    Scheduled {
        /// Schedule name.
        schedule: String,
        /// Function name, or another target: `queue jobs`.
        function: String,
        /// Reason in words, if the invocation failed after all retries.
        reason: Option<String>,
        /// Evidence of the function that failed.
        evidence: Option<FailureEvidence>,
        /// Time from the first invocation to the last answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        #[schemars(with = "f64")]
        took: Duration,
    },
    /// A call went to the user's account of AWS.
    AccountCalled {
        /// Function.
        caller: String,
        /// Service: `sqs`.
        service: String,
        /// Operation, such as `SendMessage`, or the method of a request to a path.
        operation: String,
        /// Status of the answer; `None` if there was none.
        status: Option<u16>,
    },
    /// A function could not start, crashed or timed out.
    FunctionFailed {
        /// Function name.
        function: String,
        /// Reason and remedy.
        reason: String,
    },
}

/// Serializes a duration as fractional milliseconds, as AWS's logs have them.
fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1000.0)
}

/// Outcome of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum MessageOutcome {
    /// The function took the message, and no answer was sent back (row M7).
    Taken,
    /// The function's answer was sent back (row M8).
    Answered {
        /// Size of the answer in bytes.
        bytes: usize,
    },
    /// The function returned a status of 400 or more. No client gets to see the status (row M7).
    Failed {
        /// Status that the function returned.
        status: u16,
        /// Size of the answer in bytes, on a two-way route.
        bytes: Option<usize>,
    },
    /// An error frame was sent back.
    Error {
        /// `message` of the error frame: `Forbidden`, `Internal server error`, …
        message: &'static str,
        /// Reason in words.
        reason: String,
        /// Row of the reference.
        row: &'static str,
    },
}

impl Event {
    /// Returns about how much memory the event takes, in bytes.
    fn weight(&self) -> usize {
        const OVERHEAD: usize = 512;
        let texts = match self {
            Event::Connected { handshake, .. } | Event::Refused { handshake, .. } => {
                handshake.weight()
            }
            Event::Message { body, answer, .. } => {
                body.len() + answer.as_ref().map_or(0, FrameText::len)
            }
            Event::Posted { body, .. } => body.as_ref().map_or(0, FrameText::len),
            Event::Log { line, .. } => line.len(),
            _ => 0,
        };
        OVERHEAD + texts
    }
}
