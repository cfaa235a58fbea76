//! Audio, from the speaker to the listeners.

use serde::{Deserialize, Serialize};
use stackgen_websocket::{ConnectionId, Timestamp};

use crate::SessionId;

/// A share of a session's audience, and what to send it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The session.
    pub session_id: SessionId,
    /// Who is to get the message.
    pub audience: Vec<Recipient>,
    /// The message, as it goes out.
    pub message: String,
    /// When the audio came in; late audio is worth nothing.
    pub received_at: Timestamp,
}

/// One of an audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// The connection to post to.
    pub connection_id: ConnectionId,
    /// When API Gateway accepted it: a connection that is only about to open answers as one that is gone (row C11).
    pub connected_at: Timestamp,
}
