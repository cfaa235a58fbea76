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
    /// Arrival time of the audio. Late audio is not sent.
    pub received_at: Timestamp,
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
