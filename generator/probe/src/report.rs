//! Report of a probe: the handshake, everything that was observed, and the results of the checks.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::connect_error::ConnectError;
use crate::connection::{ClosedBy, ConnectionEnd};
use crate::expect::CheckResult;
use crate::latency::Latency;
use crate::millis::{millis, some_millis};
use crate::response::HandshakeResponse;
use crate::target::{ProbeTarget, TokenPlacement};

/// Maximum number of characters of a text that the report keeps.
const MAX_TEXT: usize = 4096;

/// Maximum number of observations; more are only counted. A busy connection may be held for two hours.
const MAX_OBSERVATIONS: usize = 10_000;

/// Everything that a probe observed. It contains no secret.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeReport {
    /// URL with its secrets hidden.
    pub url: String,
    /// Caller that connected.
    pub caller: ProbeCaller,
    /// Names of the added headers. A page in a browser cannot add headers.
    pub headers: Vec<String>,
    /// Offered subprotocols.
    pub subprotocols: Vec<String>,
    /// Answer to the handshake, or the reason why there is none.
    #[serde(flatten)]
    pub outcome: HandshakeOutcome,
    /// Observations on the connection, in order.
    pub observations: Vec<Observation>,
    /// Number of observations beyond the limit, which are missing from `observations`.
    pub omitted: usize,
    /// End of the connection.
    pub close: Option<ConnectionEnd>,
    /// Age of the connection at its end.
    #[serde(serialize_with = "some_millis")]
    pub age: Option<Duration>,
    /// Results of the load measurement, if there was one.
    pub latency: Option<Latency>,
    /// Results of the expectations.
    pub checks: Vec<CheckResult>,
    /// True if the user stopped the probe.
    pub interrupted: bool,
}

/// Answer to a handshake, or the reason why there is none.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum HandshakeOutcome {
    /// The server answered, with any status.
    Handshake(Box<HandshakeResponse>),
    /// There is no answer.
    #[serde(serialize_with = "with_message")]
    Error(ConnectError),
}

/// Caller of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "as")]
pub enum ProbeCaller {
    /// Caller without a token.
    Anonymous,
    /// Caller with a token.
    Authenticated {
        /// Name that the token was minted for, if it is known.
        name: Option<String>,
        /// Placement of the token: `query`, `header` or `subprotocol`.
        token_in: &'static str,
    },
}

impl ProbeCaller {
    /// Creates a caller with a token in this placement.
    pub fn with_token(name: Option<String>, placement: &TokenPlacement) -> Self {
        let token_in = match placement {
            TokenPlacement::Query(_) => "query",
            TokenPlacement::Header(_) => "header",
            TokenPlacement::Subprotocol => "subprotocol",
        };
        ProbeCaller::Authenticated { name, token_in }
    }
}

/// Event on a connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// Age of the connection.
    #[serde(serialize_with = "millis", rename = "atMs")]
    pub at: Duration,
    /// Kind of the event.
    #[serde(flatten)]
    pub kind: ObservationKind,
}

/// Kind of an event on a connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "what"
)]
pub enum ObservationKind {
    /// A text message was sent.
    Sent {
        /// Beginning of the message.
        text: String,
        /// Size of the message.
        bytes: usize,
    },
    /// A text message arrived.
    Received {
        /// Beginning of the message.
        text: String,
        /// Size of the message.
        bytes: usize,
        /// `message` of an error frame of API Gateway.
        error: Option<String>,
    },
    /// A binary message arrived.
    Binary {
        /// Size of the message.
        bytes: usize,
    },
    /// A ping was sent.
    PingSent,
    /// The answer to a ping arrived.
    Pong {
        /// Time since the last ping.
        #[serde(serialize_with = "millis", rename = "afterMs")]
        after: Duration,
    },
    /// A ping arrived.
    Ping,
    /// No answer to the sent messages arrived.
    Silence {
        /// Time that the probe waited.
        #[serde(serialize_with = "millis", rename = "forMs")]
        waited: Duration,
    },
    /// The connection ended.
    Closed(ConnectionEnd),
}

impl ProbeReport {
    /// Creates a report without observations.
    pub fn new(target: &ProbeTarget, caller: ProbeCaller, outcome: HandshakeOutcome) -> Self {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        ProbeReport {
            url: target.url(),
            caller,
            headers: owned(target.header_names()),
            subprotocols: target.offered_subprotocols(),
            outcome,
            observations: Vec::new(),
            omitted: 0,
            close: None,
            age: None,
            latency: None,
            checks: Vec::new(),
            interrupted: false,
        }
    }

    /// Returns the answer to the handshake, if there is one.
    pub fn handshake(&self) -> Option<&HandshakeResponse> {
        match &self.outcome {
            HandshakeOutcome::Handshake(handshake) => Some(handshake),
            HandshakeOutcome::Error(_) => None,
        }
    }

    /// Returns true if all expectations are met.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.met)
    }

    /// Adds an observation.
    pub(crate) fn add(&mut self, observation: Observation) {
        if let ObservationKind::Closed(close) = &observation.kind {
            self.close = Some(close.clone());
            self.age = Some(observation.at);
        }
        if self.observations.len() < MAX_OBSERVATIONS {
            self.observations.push(observation);
        } else {
            self.omitted += 1;
        }
    }

    /// Returns what a page in a browser would have seen.
    pub fn browser(&self) -> BrowserView {
        let failed = |why: &'static str| BrowserView {
            opens: false,
            code: Some(1006),
            reason: String::new(),
            why,
        };
        let handshake = match &self.outcome {
            HandshakeOutcome::Error(_) => return failed("there is no answer to the handshake"),
            HandshakeOutcome::Handshake(handshake) => handshake,
        };
        if handshake.status != 101 {
            return failed("a browser hides the status of a handshake that fails");
        }
        if !handshake.violations.is_empty() {
            return failed("the answer breaks the WebSocket protocol");
        }
        if !self.subprotocols.is_empty() && handshake.subprotocol.is_none() {
            return failed("subprotocols were offered, but the server chose none");
        }
        let close = self.close.as_ref();
        // This also holds if the client closed: the server echoes the client's code.
        let code = close.map(|close| close.code);
        let reason = close.filter(|close| close.by == ClosedBy::Server);
        BrowserView {
            opens: true,
            code,
            reason: reason.map(|close| close.reason.clone()).unwrap_or_default(),
            why: "the connection opens",
        }
    }
}

/// Events that a page in a browser would have seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BrowserView {
    /// True if the browser calls `onopen`.
    pub opens: bool,
    /// `CloseEvent.code`, if the connection has ended.
    pub code: Option<u16>,
    /// `CloseEvent.reason`.
    pub reason: String,
    /// Reason for `opens`.
    pub why: &'static str,
}

/// Returns the `message` of an error frame. API Gateway sends these frames when it cannot serve a message: JSON objects of
/// exactly `message`, `connectionId` and `requestId`.
pub fn error_frame_message(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let object = value.as_object().filter(|object| object.len() == 3)?;
    let string = |key: &str| object.get(key)?.as_str();
    string("connectionId").and(string("requestId"))?;
    string("message").map(str::to_owned)
}

/// Returns the beginning of a text, up to the report's limit.
pub(crate) fn truncated(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn with_message<S: Serializer>(error: &ConnectError, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct ErrorWithMessage<'a> {
        #[serde(flatten)]
        error: &'a ConnectError,
        message: String,
    }
    let message = error.to_string();
    ErrorWithMessage { error, message }.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_frames_of_the_gateway_are_error_frames() {
        let frame = r#"{"message": "Forbidden", "connectionId":"abc=", "requestId":"def="}"#;
        assert_eq!(error_frame_message(frame).as_deref(), Some("Forbidden"));
        assert_eq!(error_frame_message(r#"{"message":"Forbidden"}"#), None);
        assert_eq!(
            error_frame_message(r#"{"message":1,"connectionId":"a","requestId":"b"}"#),
            None
        );
        let more = r#"{"message":"Forbidden","connectionId":"a","requestId":"b","x":1}"#;
        assert_eq!(error_frame_message(more), None);
        assert_eq!(error_frame_message("hello"), None);
    }
}
