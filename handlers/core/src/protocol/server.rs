//! What the server says.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;
use thiserror::Error;

use crate::{BroadcastState, ConnectionId, Language, Role, SessionId, Timestamp, Volume};

/// A message of the server. `timestamp` is the server's time in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ServerMessage {
    /// You are in.
    SessionJoined {
        /// Where.
        session_id: SessionId,
        /// What you hear.
        target_language: Language,
        /// What is spoken.
        source_language: Language,
        /// Your connection: name it as `previousConnectionId` when another takes over from it.
        connection_id: ConnectionId,
        /// When.
        timestamp: Timestamp,
    },
    /// You hear this from now on.
    LanguageChanged {
        /// What you hear.
        target_language: Language,
        /// When.
        timestamp: Timestamp,
    },
    /// A chunk of audio.
    Audio {
        /// The session.
        session_id: SessionId,
        /// The audio, base64, as it came.
        audio_data: String,
        /// The speaker's time.
        timestamp: u64,
        /// The audio's format.
        format: String,
        /// Which chunk: they may arrive out of order.
        chunk_index: u64,
    },
    /// Your heartbeat arrived.
    HeartbeatAck {
        /// When.
        timestamp: Timestamp,
    },
    /// Open another connection, and let it take over with `refreshConnection`.
    ConnectionRefreshRequired {
        /// The session to name.
        session_id: SessionId,
        /// The role to name.
        role: Role,
        /// The language to name.
        #[serde(skip_serializing_if = "Option::is_none")]
        target_language: Option<Language>,
        /// This connection: name it as `previousConnectionId`.
        connection_id: ConnectionId,
    },
    /// This connection is about to end.
    ConnectionWarning {
        /// In how many minutes.
        remaining_minutes: u64,
    },
    /// This connection has taken over.
    ConnectionRefreshComplete {
        /// The session.
        session_id: SessionId,
        /// The role.
        role: Role,
        /// What a listener hears.
        #[serde(skip_serializing_if = "Option::is_none")]
        target_language: Option<Language>,
        /// When.
        timestamp: Timestamp,
    },
    /// The speaker paused.
    BroadcastPaused {
        /// When.
        timestamp: Timestamp,
    },
    /// The speaker goes on.
    BroadcastResumed {
        /// When.
        timestamp: Timestamp,
    },
    /// The speaker's microphone is off.
    BroadcastMuted {
        /// When.
        timestamp: Timestamp,
    },
    /// The speaker's microphone is on.
    BroadcastUnmuted {
        /// When.
        timestamp: Timestamp,
    },
    /// The speaker's volume.
    VolumeChanged {
        /// From 0 to 1.
        volume_level: Volume,
        /// When.
        timestamp: Timestamp,
    },
    /// What the speaker is doing: said to be so, or because the speaker left (`isActive` is false then).
    SpeakerStateChanged {
        /// What it is now.
        broadcast_state: BroadcastState,
    },
    /// How the session is doing.
    SessionStatus {
        /// The session.
        session_id: SessionId,
        /// How many listeners there are.
        listener_count: u32,
        /// How many hear which language.
        language_distribution: BTreeMap<Language, u32>,
        /// For how long it has been there, in seconds.
        session_duration: u64,
        /// What the speaker is doing.
        broadcast_state: BroadcastState,
        /// When.
        timestamp: Timestamp,
    },
    /// The session is over.
    SessionEnded {
        /// Which.
        session_id: SessionId,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// When.
        timestamp: Timestamp,
    },
    /// What you said was not done.
    Error {
        /// What was wrong.
        #[serde(flatten)]
        error: ServerError,
        /// When.
        timestamp: Timestamp,
    },
}

impl ServerMessage {
    /// The message as it goes out.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("keys are strings, and every value has a form in JSON")
    }

    /// The message as it goes out, to be posted to many.
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from(self.to_text())
    }
}

/// Why a message of a client was not followed.
#[derive(Clone, Debug, Error, PartialEq, Serialize)]
#[error("{code:?}")]
pub struct ServerError {
    /// In a word, for programs.
    pub code: ErrorCode,
    /// In a sentence, for people.
    pub message: String,
    /// More for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// What a program may need to go on after an error.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// Try again after this many milliseconds.
    pub retry_after: u64,
}

impl ServerError {
    /// An error without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        ServerError {
            code,
            message: message.into(),
            details: None,
        }
    }
}

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// Not a message, or a field is missing or wrong.
    InvalidMessage,
    /// There is no such action.
    UnknownAction,
    /// The message, or the audio in it, is too long or too short.
    MessageTooLarge,
    /// The connection is in no session.
    NotInSession,
    /// The connection is in another session.
    OtherSession,
    /// The connection is in another role.
    OtherRole,
    /// Only the speaker may do that.
    NotSpeaker,
    /// There is no such session.
    NoSession,
    /// The session is paused or over.
    SessionNotActive,
    /// The session has as many listeners as it may have.
    SessionFull,
    /// The broadcast is paused or muted: audio is not sent.
    BroadcastPaused,
    /// Too often.
    TooOften,
    /// Something did not work on our side: try again.
    Unavailable,
}
