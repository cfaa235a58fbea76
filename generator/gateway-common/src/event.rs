//! Events of a gateway, for users to follow.

use std::time::Duration;

use serde::Serialize;

use crate::{ApiId, ConnectionId, DeploymentId, FailureEvidence, RouteKey, StageName};

/// Something that happened in a gateway. `stackgen dev` prints one line per event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "event"
)]
pub enum Event {
    /// A handshake was accepted.
    Connected {
        /// API.
        api: ApiId,
        /// Stage.
        stage: StageName,
        /// Connection.
        connection: ConnectionId,
        /// Principal ID that the authorizer returned.
        principal: Option<String>,
        /// Time from the request to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        took: Duration,
    },
    /// A handshake was refused.
    Refused {
        /// API.
        api: ApiId,
        /// Stage, as the path names it.
        stage: StageName,
        /// Status of the handshake, which browsers hide.
        status: u16,
        /// Reason in words.
        reason: String,
        /// Row of the reference.
        row: &'static str,
        /// Evidence of the function that failed, if one was called.
        evidence: Option<FailureEvidence>,
        /// Time from the request to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        took: Duration,
    },
    /// A message was routed, or refused with an error frame.
    Message {
        /// Connection.
        connection: ConnectionId,
        /// Selected route; `None` if no route matched.
        route: Option<RouteKey>,
        /// Size of the message in bytes.
        bytes: usize,
        /// Outcome.
        outcome: MessageOutcome,
        /// Evidence of the function that failed, if one was called.
        evidence: Option<FailureEvidence>,
        /// Time from the message to the answer of its function.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        took: Duration,
    },
    /// A client of the management API posted to a connection.
    Posted {
        /// Connection.
        connection: ConnectionId,
        /// Size of the message in bytes.
        bytes: usize,
        /// Status of the answer: 200, 410, 429, …
        status: u16,
    },
    /// A connection closed.
    Closed {
        /// Connection.
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
        age: Duration,
    },
    /// The `$disconnect` function failed or could not be called (row M18).
    DisconnectFailed {
        /// Connection.
        connection: ConnectionId,
        /// Reason in words.
        reason: String,
        /// Evidence of the function, if it was called.
        evidence: Option<FailureEvidence>,
    },
    /// An HTTP API answered a request.
    Request {
        /// API.
        api: ApiId,
        /// Method, such as `GET`.
        method: String,
        /// Path with the query string.
        path: String,
        /// Selected route.
        route: Option<RouteKey>,
        /// Status of the answer.
        status: u16,
        /// Reason in words, if API Gateway itself gave the answer.
        reason: Option<String>,
        /// Time from the request to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        took: Duration,
    },
    /// A deployment was created.
    Deployed {
        /// API.
        api: ApiId,
        /// Deployment.
        deployment: DeploymentId,
        /// Description of the deployment.
        description: Option<String>,
    },
    /// A stage was pointed at another deployment.
    Activated {
        /// API.
        api: ApiId,
        /// Stage.
        stage: StageName,
        /// Deployment that the stage served before.
        previous: Option<DeploymentId>,
        /// Deployment that the stage serves now.
        deployment: Option<DeploymentId>,
    },
    /// Wiring changed, and a stage does not serve the change until the API is deployed.
    Undeployed {
        /// API.
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
        took: Duration,
    },
    /// A schedule invoked its function.
    Scheduled {
        /// Schedule name.
        schedule: String,
        /// Function name.
        function: String,
        /// Reason in words, if the invocation failed after all retries.
        reason: Option<String>,
        /// Evidence of the function that failed.
        evidence: Option<FailureEvidence>,
        /// Time from the first invocation to the last answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// Channel of events. A receiver that reads too slowly misses events; the gateway never waits for it.
#[derive(Clone, Debug)]
pub struct Events(tokio::sync::broadcast::Sender<Event>);

impl Events {
    /// Creates a channel that holds `capacity` events for slow receivers.
    pub fn new(capacity: usize) -> Self {
        Events(tokio::sync::broadcast::Sender::new(capacity))
    }

    /// Sends an event. The event is only created if there is a receiver.
    pub fn send(&self, event: impl FnOnce() -> Event) {
        if self.0.receiver_count() > 0 {
            // The last receiver may have gone since the check.
            let _ = self.0.send(event());
        }
    }

    /// Returns a receiver of all events from now on.
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}

impl Default for Events {
    fn default() -> Self {
        Events::new(4096)
    }
}
