//! What a probe saw, in order.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::connection::{Close, Side};
use crate::dial::ConnectError;
use crate::expect::Check;
use crate::handshake::Handshake;
use crate::load::Latency;
use crate::millis::{millis, some_millis};
use crate::target::{Target, TokenIn};

/// More of a text is not kept.
const TEXT: usize = 4096;

/// More observations are counted and not kept: a chatty connection may be held for two hours.
const OBSERVATIONS: usize = 10_000;

/// Everything that a probe saw. No secret is in it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The URL, as people may see it.
    pub url: String,
    /// Who connected.
    pub caller: Caller,
    /// The names of headers that were brought along; a browser can send none of them.
    pub headers: Vec<String>,
    /// The subprotocols that were offered.
    pub subprotocols: Vec<String>,
    /// The handshake's answer, or why there is none.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What happened on the connection.
    pub observations: Vec<Observation>,
    /// How many more things happened than are kept.
    pub omitted: usize,
    /// How it ended.
    pub close: Option<Close>,
    /// How old the connection was when it ended.
    #[serde(serialize_with = "some_millis")]
    pub age: Option<Duration>,
    /// What exchanges took, if that was measured.
    pub latency: Option<Latency>,
    /// What was wanted, and whether it happened.
    pub checks: Vec<Check>,
    /// Ended by the person at the keyboard before its time.
    pub interrupted: bool,
}

/// The handshake's answer, or why there is none.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// There was an answer, whatever it says.
    Handshake(Handshake),
    /// There was none.
    #[serde(serialize_with = "with_message")]
    Error(ConnectError),
}

/// Who connects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "as")]
pub enum Caller {
    /// Without a token.
    Anonymous,
    /// With a token.
    Authenticated {
        /// The name that its token was made for, if that is known.
        name: Option<String>,
        /// How the token travelled: `query`, `header`, `subprotocol`.
        token_in: &'static str,
    },
}

impl Caller {
    /// One who brings a token so.
    pub fn with(name: Option<String>, travels: &TokenIn) -> Self {
        let token_in = match travels {
            TokenIn::Query(_) => "query",
            TokenIn::Header(_) => "header",
            TokenIn::Subprotocol => "subprotocol",
        };
        Caller::Authenticated { name, token_in }
    }
}

/// Something that happened on a connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// How old the connection was.
    #[serde(serialize_with = "millis", rename = "atMs")]
    pub at: Duration,
    /// What happened.
    #[serde(flatten)]
    pub seen: Seen,
}

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "what"
)]
pub enum Seen {
    /// A text message went out.
    Sent {
        /// Its beginning.
        text: String,
        /// Its size.
        bytes: usize,
    },
    /// A text message came in.
    Received {
        /// Its beginning.
        text: String,
        /// Its size.
        bytes: usize,
        /// Set for API Gateway's own error frames: their `message`.
        error: Option<String>,
    },
    /// A binary message came in.
    Binary {
        /// Its size.
        bytes: usize,
    },
    /// A ping went out.
    PingSent,
    /// The answer to a ping came in.
    Pong {
        /// After the last ping.
        #[serde(serialize_with = "millis", rename = "afterMs")]
        after: Duration,
    },
    /// A ping came in.
    Ping,
    /// Nothing came in after what was sent.
    Silence {
        /// For how long.
        #[serde(serialize_with = "millis", rename = "forMs")]
        waited: Duration,
    },
    /// The connection ended.
    Closed(Close),
}

impl Report {
    /// One that begins, with what is known before connecting.
    pub fn new(target: &Target, caller: Caller, outcome: Outcome) -> Self {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Report {
            url: target.url(),
            caller,
            headers: owned(target.header_names()),
            subprotocols: target.offered(),
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

    /// The handshake's answer, if there was one.
    pub fn handshake(&self) -> Option<&Handshake> {
        match &self.outcome {
            Outcome::Handshake(handshake) => Some(handshake),
            Outcome::Error(_) => None,
        }
    }

    /// True when all that was wanted happened.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.met)
    }

    /// Adds what happened.
    pub(crate) fn add(&mut self, observation: Observation) {
        if let Seen::Closed(close) = &observation.seen {
            self.close = Some(close.clone());
            self.age = Some(observation.at);
        }
        if self.observations.len() < OBSERVATIONS {
            self.observations.push(observation);
        } else {
            self.omitted += 1;
        }
    }

    /// What a browser would have told a page.
    pub fn browser(&self) -> BrowserView {
        let fails = |why: &'static str| BrowserView {
            opens: false,
            code: Some(1006),
            reason: String::new(),
            why,
        };
        let handshake = match &self.outcome {
            Outcome::Error(_) => return fails("there is no answer to the handshake"),
            Outcome::Handshake(handshake) => handshake,
        };
        if handshake.status != 101 {
            return fails("a browser hides the status of a handshake that fails");
        }
        if !handshake.violations.is_empty() {
            return fails("the answer breaks the WebSocket protocol");
        }
        if !self.subprotocols.is_empty() && handshake.subprotocol.is_none() {
            return fails("subprotocols were offered and none was chosen");
        }
        let close = self.close.as_ref();
        // The code of a close frame of this side: the other side echoes it.
        let code = close.map(|close| close.code);
        let reason = close.filter(|close| close.by == Side::Server);
        BrowserView {
            opens: true,
            code,
            reason: reason.map(|close| close.reason.clone()).unwrap_or_default(),
            why: "the connection opens",
        }
    }
}

/// What a browser would have told a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BrowserView {
    /// Whether `onopen` is called.
    pub opens: bool,
    /// `CloseEvent.code`, once the connection has ended.
    pub code: Option<u16>,
    /// `CloseEvent.reason`.
    pub reason: String,
    /// Why.
    pub why: &'static str,
}

/// The `message` of a frame that API Gateway itself sends when it cannot serve a message: a JSON object of exactly
/// `message`, `connectionId` and `requestId`.
pub fn error_frame(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let object = value.as_object().filter(|object| object.len() == 3)?;
    let string = |key: &str| object.get(key)?.as_str();
    string("connectionId").and(string("requestId"))?;
    string("message").map(str::to_owned)
}

/// A text's beginning.
pub(crate) fn beginning(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn with_message<S: Serializer>(error: &ConnectError, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Told<'a> {
        #[serde(flatten)]
        error: &'a ConnectError,
        message: String,
    }
    let message = error.to_string();
    Told { error, message }.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_gateways_own_frames_are_error_frames() {
        let frame = r#"{"message": "Forbidden", "connectionId":"abc=", "requestId":"def="}"#;
        assert_eq!(error_frame(frame).as_deref(), Some("Forbidden"));
        assert_eq!(error_frame(r#"{"message":"Forbidden"}"#), None);
        assert_eq!(
            error_frame(r#"{"message":1,"connectionId":"a","requestId":"b"}"#),
            None
        );
        let more = r#"{"message":"Forbidden","connectionId":"a","requestId":"b","x":1}"#;
        assert_eq!(error_frame(more), None);
        assert_eq!(error_frame("hello"), None);
    }
}
