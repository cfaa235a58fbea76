//! Latest failures of WebSocket APIs, which clients can look up afterwards.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ApiId, ConnectionId, DeploymentId, RouteKey, StageName};

/// A refused handshake, a message that was answered with an error frame, or a connection that the gateway closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureRecord {
    /// Subject of the failure.
    pub subject: FailureSubject,
    /// Request ID of the connection's handshake, which its answer carries as `x-amzn-RequestId`.
    pub handshake_id: String,
    /// Request ID of the handshake or the message; for a close, of the handshake.
    pub request_id: String,
    /// Connection.
    pub connection_id: ConnectionId,
    /// API.
    pub api_id: ApiId,
    /// Stage, as the path names it.
    pub stage: StageName,
    /// Deployment that the stage served.
    pub deployment_id: Option<DeploymentId>,
    /// Selected route.
    pub route: Option<RouteKey>,
    /// Authorizer of `$connect`, if it was called.
    pub authorizer: Option<AuthorizerRecord>,
    /// Function that the route called.
    pub function: Option<String>,
    /// Error that the function or the authorizer returned.
    pub error: Option<ThrownError>,
    /// First lines of the function's log.
    #[serde(default)]
    pub log: Vec<String>,
    /// Status of the handshake or the message, or close code.
    pub status: u16,
    /// `message` of the answer or the error frame, or close reason.
    pub message: String,
    /// Reason in words.
    pub reason: String,
    /// Row of the reference.
    pub row: String,
}

/// Subject of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailureSubject {
    /// A handshake.
    Handshake,
    /// A message.
    Message,
    /// An open connection.
    Connection,
}

/// An authorizer and its decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerRecord {
    /// Function of the authorizer.
    pub function: Option<String>,
    /// Decision in words.
    pub verdict: String,
}

/// Error that a function returned. The message may contain data that a client sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThrownError {
    /// `errorType`.
    pub error_type: String,
    /// Start of `errorMessage`.
    pub message: String,
    /// Innermost lines of the stack trace.
    #[serde(default)]
    pub trace: Vec<String>,
}

/// Maximum length of a stored error message, in characters.
const MAX_MESSAGE_CHARS: usize = 500;
/// Maximum number of stored lines of a stack trace.
const MAX_TRACE: usize = 3;

/// Evidence of a function that failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureEvidence {
    /// Error that the function returned.
    pub error: Option<ThrownError>,
    /// First lines of its log.
    pub log: Vec<String>,
}

/// Returns the lines of a function's log that do not repeat its error, which runtimes log, too.
pub fn log_without_error<'l>(
    log: &'l [String],
    error: Option<&'l ThrownError>,
) -> impl Iterator<Item = &'l str> {
    let repeats = move |line: &str| error.is_some_and(|error| line.contains(&error.error_type));
    log.iter()
        .map(String::as_str)
        .filter(move |line| !repeats(line))
}

impl ThrownError {
    /// Parses the payload of a failed invocation; returns `None` if it does not have the form of a Lambda error.
    pub fn read(payload: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ErrorPayload {
            error_type: String,
            #[serde(default)]
            error_message: String,
            /// Of Python: the outermost call first, an entry has the place and the line of code.
            #[serde(default)]
            stack_trace: Value,
            /// Of Node: the error, then the innermost call first.
            #[serde(default)]
            trace: Value,
        }
        let error: ErrorPayload = serde_json::from_slice(payload).ok()?;
        let trace = match texts(&error.stack_trace) {
            python if !python.is_empty() => python.into_iter().rev().take(MAX_TRACE).collect(),
            _ => texts(&error.trace)
                .into_iter()
                .skip(1)
                .take(MAX_TRACE)
                .collect(),
        };
        Some(ThrownError {
            error_type: error.error_type,
            message: start(&error.error_message),
            trace,
        })
    }
}

/// Returns the texts of a list, each as one line.
fn texts(list: &Value) -> Vec<String> {
    let texts = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    texts.map(|text| start(&one_line(text))).collect()
}

/// Returns the start of a text that a function may have filled with anything.
fn start(text: &str) -> String {
    text.chars().take(MAX_MESSAGE_CHARS).collect()
}

/// The latest failures, oldest first.
#[derive(Debug, Default)]
pub struct FailureLog(Mutex<VecDeque<FailureRecord>>);

impl FailureLog {
    /// Maximum number of failures that are stored.
    pub const CAPACITY: usize = 500;

    /// Adds a failure. A full log drops its oldest failure.
    pub fn add(&self, failure: FailureRecord) {
        let mut failures = self.lock();
        if failures.len() >= Self::CAPACITY {
            failures.pop_front();
        }
        failures.push_back(failure);
    }

    /// Returns the failures of a request, of a connection, or of the connection that began with a handshake's request,
    /// oldest first.
    pub fn find(&self, id: &str) -> Vec<FailureRecord> {
        let failures = self.lock();
        let found = failures.iter().filter(|failure| {
            failure.handshake_id == id || failure.request_id == id || failure.connection_id == *id
        });
        found.cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<FailureRecord>> {
        // Records are complete before they are added, so a panic elsewhere cannot leave half a record.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_calls_of_a_trace_are_kept() {
        let python = br#"{"errorType":"KeyError","errorMessage":"'x'","stackTrace":["  File \"a.py\", line 1, in handler\n    b()\n","  File \"a.py\", line 2, in b\n    c()\n","  File \"a.py\", line 3, in c\n    d()\n","  File \"a.py\", line 4, in d\n    e['x']\n"]}"#;
        let error = ThrownError::read(python).unwrap();
        assert_eq!(
            error.trace,
            [
                "File \"a.py\", line 4, in d e['x']",
                "File \"a.py\", line 3, in c d()",
                "File \"a.py\", line 2, in b c()"
            ]
        );
        let node = br#"{"errorType":"TypeError","errorMessage":"m","trace":["TypeError: m","    at handler (/a.js:1:2)"]}"#;
        let error = ThrownError::read(node).unwrap();
        assert_eq!(error.trace, ["at handler (/a.js:1:2)"]);
        let bare = br#"{"errorType":"Error","errorMessage":"m","stackTrace":"text"}"#;
        assert!(ThrownError::read(bare).unwrap().trace.is_empty());
        assert_eq!(ThrownError::read(b"{}"), None);
    }
}
