//! The latest failures of WebSocket APIs, for a client that asks afterwards why.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::{ApiId, ConnectionId, DeploymentId, RouteKey, StageName};

/// A handshake that was refused, a message that was answered with an error frame, or a connection that the gateway
/// closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureRecord {
    /// What failed.
    pub subject: FailureSubject,
    /// Request id of the connection's handshake, which its answer carries as `x-amzn-RequestId`.
    pub handshake_id: String,
    /// Request id of the handshake or the message; of a close, of the handshake.
    pub request_id: String,
    /// Connection.
    pub connection_id: ConnectionId,
    /// API.
    pub api_id: ApiId,
    /// Stage, as the path names it.
    pub stage: StageName,
    /// Deployment that the stage served.
    pub deployment_id: Option<DeploymentId>,
    /// Route that took the request.
    pub route: Option<RouteKey>,
    /// Authorizer of `$connect`, if the request got that far.
    pub authorizer: Option<AuthorizerRecord>,
    /// Function of the route that was called.
    pub function: Option<String>,
    /// Error that the function or the authorizer threw.
    pub error: Option<ThrownError>,
    /// Status of the handshake or the message, or close code.
    pub status: u16,
    /// `message` of the answer or the error frame, or close reason.
    pub message: String,
    /// Reason in words.
    pub reason: String,
    /// Row of the reference.
    pub row: String,
}

/// What failed.
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

/// An authorizer and what it decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerRecord {
    /// Its function.
    pub function: Option<String>,
    /// Its verdict in words.
    pub verdict: String,
}

/// An error that a function threw. The message may hold what a caller sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThrownError {
    /// `errorType`.
    pub error_type: String,
    /// `errorMessage`, its beginning.
    pub message: String,
}

/// Longest error message that is kept, in characters.
const LONGEST: usize = 500;

impl ThrownError {
    /// Reads the payload of a function that failed; `None` if it is not an error of Lambda's form.
    pub fn read(payload: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Thrown {
            error_type: String,
            #[serde(default)]
            error_message: String,
        }
        let thrown: Thrown = serde_json::from_slice(payload).ok()?;
        Some(ThrownError {
            error_type: thrown.error_type,
            message: thrown.error_message.chars().take(LONGEST).collect(),
        })
    }
}

/// The latest failures, oldest first.
#[derive(Debug, Default)]
pub struct FailureLog(Mutex<VecDeque<FailureRecord>>);

impl FailureLog {
    /// Number of failures that are kept.
    pub const CAPACITY: usize = 500;

    /// Adds a failure, in place of the oldest if the log is full.
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
        // Records are whole before they are added: a panic elsewhere cannot leave half of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
