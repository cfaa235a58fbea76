//! What happens in a gateway, for people to follow.

use std::time::Duration;

use serde::Serialize;

use crate::{ApiId, ConnectionId, DeploymentId, RouteKey, StageName};

/// One thing that happened. `stackgen dev` prints a line of each.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "event"
)]
pub enum Event {
    /// A handshake was accepted.
    Connected {
        /// The api.
        api: ApiId,
        /// The stage.
        stage: StageName,
        /// The connection.
        connection: ConnectionId,
        /// The authorizer's principal, if there is one.
        principal: Option<String>,
        /// From the request to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        took: Duration,
    },
    /// A handshake was refused.
    Refused {
        /// The api.
        api: ApiId,
        /// The stage, as the path names it.
        stage: StageName,
        /// The handshake's status, which browsers hide.
        status: u16,
        /// Why, in words.
        reason: String,
        /// The row of the reference that says so.
        row: &'static str,
        /// From the request to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        took: Duration,
    },
    /// A message was routed, or refused with an error frame.
    Message {
        /// The connection.
        connection: ConnectionId,
        /// The route that took it; `None` when there is none.
        route: Option<RouteKey>,
        /// The message's size in bytes.
        bytes: usize,
        /// What became of it.
        outcome: MessageOutcome,
        /// From the message to the end of its function.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        took: Duration,
    },
    /// Something was posted to a connection through @connections.
    Posted {
        /// The connection.
        connection: ConnectionId,
        /// Its size in bytes.
        bytes: usize,
        /// The status that the poster got: 200, 410, 429, …
        status: u16,
    },
    /// A connection ended.
    Closed {
        /// The connection.
        connection: ConnectionId,
        /// `disconnectStatusCode`.
        code: u16,
        /// `disconnectReason`.
        reason: String,
        /// Why, in words.
        meaning: &'static str,
        /// The row of the reference that says so.
        row: &'static str,
        /// How old it was.
        #[serde(rename = "ageMillis", serialize_with = "millis")]
        age: Duration,
    },
    /// The `$disconnect` function failed or could not be called (row M18).
    DisconnectFailed {
        /// The connection.
        connection: ConnectionId,
        /// Why, in words.
        reason: String,
    },
    /// A request to an HTTP API.
    Request {
        /// The api.
        api: ApiId,
        /// `GET`, …
        method: String,
        /// The path with its query.
        path: String,
        /// The route that took it.
        route: Option<RouteKey>,
        /// The answer's status.
        status: u16,
        /// Why, when API Gateway itself answered.
        reason: Option<String>,
        /// From the request to the answer.
        #[serde(rename = "tookMillis", serialize_with = "millis")]
        took: Duration,
    },
    /// A deployment was made.
    Deployed {
        /// The api.
        api: ApiId,
        /// The deployment.
        deployment: DeploymentId,
        /// What it says of itself.
        description: Option<String>,
    },
    /// A stage now serves another deployment.
    Activated {
        /// The api.
        api: ApiId,
        /// The stage.
        stage: StageName,
        /// What it served before.
        previous: Option<DeploymentId>,
        /// What it serves now.
        deployment: Option<DeploymentId>,
    },
    /// Wiring changed that no stage serves until a deployment is made.
    Undeployed {
        /// The api.
        api: ApiId,
        /// What changed: `route ping`, `integration abc1234`.
        what: String,
    },
    /// A line that a function wrote, or that Lambda wrote about it.
    Log {
        /// The function.
        function: String,
        /// The line without its end.
        line: String,
    },
    /// A function could not be started, crashed or ran out of time.
    FunctionFailed {
        /// The function.
        function: String,
        /// What happened and what to do.
        reason: String,
    },
}

/// Durations are milliseconds with their fraction, as logs of AWS have them.
fn millis<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1000.0)
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum MessageOutcome {
    /// The function took it, and nothing went back (row M7).
    Taken,
    /// The function's answer went back (row M8).
    Answered {
        /// The answer's size.
        bytes: usize,
    },
    /// An error frame went back.
    Error {
        /// Its `message`: `Forbidden`, `Internal server error`, …
        message: &'static str,
        /// Why, in words.
        reason: String,
        /// The row of the reference that says so.
        row: &'static str,
    },
}

/// Where events go. Events are for people: whoever is too slow to read them misses some, and nothing waits for them.
#[derive(Clone, Debug)]
pub struct Events(tokio::sync::broadcast::Sender<Event>);

impl Events {
    /// A channel that keeps this many events for slow readers.
    pub fn new(capacity: usize) -> Self {
        Events(tokio::sync::broadcast::Sender::new(capacity))
    }

    /// Tells an event, made only when somebody listens.
    pub fn tell(&self, event: impl FnOnce() -> Event) {
        if self.0.receiver_count() > 0 {
            // Whoever listened a moment ago may have gone.
            let _ = self.0.send(event());
        }
    }

    /// All events from now on.
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}

impl Default for Events {
    fn default() -> Self {
        Events::new(4096)
    }
}
