//! Recipients of messages, and the shares of an audience that further invocations post to.

use serde::{Deserialize, Serialize};
use stackgen_websocket::{ConnectionId, Timestamp};

use crate::SessionId;

/// A share of a session's audience, and the message for it. It is the payload of the invocation that sends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The session.
    pub session_id: SessionId,
    /// Recipients of the message.
    pub audience: Vec<Recipient>,
    /// The message as JSON.
    pub message: String,
    /// Time between two posts, in microseconds. All shares of a chunk together keep the setting's rate.
    #[serde(default)]
    pub interval_micros: u64,
    /// Arrival time of the audio. Late audio is not sent.
    pub received_at: Timestamp,
    /// Number of the chunk, for logs.
    pub chunk_index: u64,
    /// API Gateway's ID of the request that brought the chunk, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Listeners whose connections were found closed, for an invocation that removes their records. It is the payload of that
/// invocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GoneListeners {
    /// The session.
    pub session_id: SessionId,
    /// Connections to remove.
    pub connection_ids: Vec<ConnectionId>,
}

/// A connection to post to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// Connection ID.
    pub connection_id: ConnectionId,
    /// Time of the handshake. Until a connection is open, API Gateway answers posts as if it were gone (row C11).
    pub connected_at: Timestamp,
}
