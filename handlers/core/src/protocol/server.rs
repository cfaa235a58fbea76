//! Messages from the server.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use thiserror::Error;

use crate::{BroadcastState, ConnectionId, Language, Role, SessionId, Timestamp, Volume};

/// A message from the server. `timestamp` is the server's time in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ServerMessage {
    /// The connection has joined a session.
    SessionJoined {
        /// Session that it joined.
        session_id: SessionId,
        /// Language that the listener hears.
        target_language: Language,
        /// Language that is spoken.
        source_language: Language,
        /// ID of this connection. A connection that replaces it sends it as `previousConnectionId`.
        connection_id: ConnectionId,
        /// Time of the answer.
        timestamp: Timestamp,
    },
    /// The language has changed.
    LanguageChanged {
        /// Language that the listener hears.
        target_language: Language,
        /// Time of the change.
        timestamp: Timestamp,
    },
    /// A chunk of audio.
    Audio {
        /// The session.
        session_id: SessionId,
        /// Audio in base64, as the speaker sent it.
        audio_data: String,
        /// The speaker's time.
        timestamp: u64,
        /// Audio format.
        format: String,
        /// Number of the chunk. Chunks may arrive out of order.
        chunk_index: u64,
    },
    /// Acknowledgement of a heartbeat.
    HeartbeatAck {
        /// Time of the answer.
        timestamp: Timestamp,
    },
    /// Asks the client to open another connection, and to send `refreshConnection` there.
    ConnectionRefreshRequired {
        /// Session to name.
        session_id: SessionId,
        /// Role to name.
        role: Role,
        /// Language to name.
        #[serde(skip_serializing_if = "Option::is_none")]
        target_language: Option<Language>,
        /// ID of this connection, to send as `previousConnectionId`.
        connection_id: ConnectionId,
    },
    /// API Gateway will close this connection soon.
    ConnectionWarning {
        /// Minutes until then.
        remaining_minutes: u64,
    },
    /// This connection has replaced the previous one.
    ConnectionRefreshComplete {
        /// The session.
        session_id: SessionId,
        /// Role of the connection.
        role: Role,
        /// Language that a listener hears.
        #[serde(skip_serializing_if = "Option::is_none")]
        target_language: Option<Language>,
        /// Time of the answer.
        timestamp: Timestamp,
    },
    /// The speaker paused.
    BroadcastPaused {
        /// Time of the change.
        timestamp: Timestamp,
    },
    /// The speaker resumed.
    BroadcastResumed {
        /// Time of the change.
        timestamp: Timestamp,
    },
    /// The speaker muted the microphone.
    BroadcastMuted {
        /// Time of the change.
        timestamp: Timestamp,
    },
    /// The speaker unmuted the microphone.
    BroadcastUnmuted {
        /// Time of the change.
        timestamp: Timestamp,
    },
    /// The speaker changed the volume.
    VolumeChanged {
        /// Volume from 0 to 1.
        volume_level: Volume,
        /// Time of the change.
        timestamp: Timestamp,
    },
    /// The speaker's state changed: by the speaker, or because the speaker left (then `isActive` is false).
    SpeakerStateChanged {
        /// New state.
        broadcast_state: BroadcastState,
    },
    /// Status of the session.
    SessionStatus {
        /// The session.
        session_id: SessionId,
        /// Number of listeners.
        listener_count: u32,
        /// Number of listeners by language.
        language_distribution: BTreeMap<Language, u32>,
        /// Seconds since the session was created.
        session_duration: u64,
        /// State of the speaker.
        broadcast_state: BroadcastState,
        /// Time of the answer.
        timestamp: Timestamp,
    },
    /// The session has ended.
    SessionEnded {
        /// The session.
        session_id: SessionId,
        /// Reason that its owner gave.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Time of the end.
        timestamp: Timestamp,
    },
    /// A message was refused.
    Error {
        /// The error.
        #[serde(flatten)]
        error: ServerError,
        /// Time of the answer.
        timestamp: Timestamp,
    },
}

impl ServerMessage {
    /// Returns the message as JSON.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("keys are strings, and every value has a form in JSON")
    }

    /// Returns the message as bytes that many posts can share.
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from(self.to_text())
    }
}

/// Reason why a client's message was refused.
#[derive(Clone, Debug, Error, PartialEq, Serialize)]
#[error("{code:?}")]
pub struct ServerError {
    /// Code, for programs.
    pub code: ErrorCode,
    /// Sentence, for people.
    pub message: String,
    /// Further data, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// Data that a program needs to handle an error.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// Milliseconds to wait before the next attempt.
    pub retry_after: u64,
}

impl ServerError {
    /// Returns an error without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        ServerError {
            code,
            message: message.into(),
            details: None,
        }
    }
}

/// Code of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The text is not a message, or a field is missing or malformed.
    InvalidMessage,
    /// The action does not exist.
    UnknownAction,
    /// The message or its audio is too long or too short.
    MessageTooLarge,
    /// The connection is in no session.
    NotInSession,
    /// The connection is in another session.
    OtherSession,
    /// The connection has another role.
    OtherRole,
    /// Only the speaker may send this message.
    NotSpeaker,
    /// The session does not exist.
    NoSession,
    /// The session is paused or over.
    SessionNotActive,
    /// The session has its maximum number of listeners.
    SessionFull,
    /// The session has the maximum number of listeners with this address.
    AddressFull,
    /// The broadcast is paused or muted, so audio is not sent.
    BroadcastPaused,
    /// The rate limit refused the request.
    TooOften,
    /// The server failed; the client should try again.
    Unavailable,
}
