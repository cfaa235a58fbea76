//! Messages from clients.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ErrorCode, ServerError};
use crate::limits::MAX_CONTROL_MESSAGE;
use crate::{Language, Role, SessionId, Volume};

/// A message from a client, except audio. Unknown fields are ignored, so that clients may be newer than the server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    tag = "action",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ClientMessage {
    /// Joins a session or chooses a language. Idempotent.
    JoinSession {
        /// Session to join.
        session_id: SessionId,
        /// Language to hear.
        target_language: Language,
    },
    /// Changes the language.
    ChangeLanguage {
        /// Language to hear.
        target_language: Language,
    },
    /// Reports that the client is alive.
    Heartbeat {},
    /// Replaces an earlier connection by this one.
    RefreshConnection {
        /// Session of the connection.
        session_id: SessionId,
        /// Role of the connection.
        role: Role,
        /// Language that a listener hears.
        target_language: Option<Language>,
        /// Connection to replace. Without it, the earlier connection keeps its record until it closes.
        previous_connection_id: Option<String>,
    },
    /// Pauses the broadcast.
    PauseBroadcast {},
    /// Resumes the broadcast.
    ResumeBroadcast {},
    /// Mutes the microphone.
    MuteBroadcast {},
    /// Unmutes the microphone.
    UnmuteBroadcast {},
    /// Sets the volume.
    SetVolume {
        /// Volume from 0 to 1.
        volume_level: Volume,
    },
    /// Sets the speaker's whole state.
    SpeakerStateChange {
        /// New state.
        state: SpeakerState,
    },
    /// Requests the session's status.
    GetSessionStatus {},
    /// Ends the session.
    EndSession {
        /// Session to end.
        session_id: SessionId,
        /// Reason, which all clients receive.
        reason: Option<String>,
    },
}

/// State of the speaker, as the speaker reports it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpeakerState {
    /// True while the speaker pauses.
    pub is_paused: bool,
    /// True while the microphone is muted.
    pub is_muted: bool,
    /// Volume.
    pub volume: Volume,
}

const ACTIONS: [&str; 12] = [
    "joinSession",
    "changeLanguage",
    "heartbeat",
    "refreshConnection",
    "pauseBroadcast",
    "resumeBroadcast",
    "muteBroadcast",
    "unmuteBroadcast",
    "setVolume",
    "speakerStateChange",
    "getSessionStatus",
    "endSession",
];

/// Parses a control message of at most 4 KB.
pub fn parse(body: &str) -> Result<ClientMessage, ServerError> {
    if body.len() > MAX_CONTROL_MESSAGE {
        let limit = format!("a control message has at most {MAX_CONTROL_MESSAGE} bytes");
        return Err(ServerError::new(ErrorCode::MessageTooLarge, limit));
    }
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(body) else {
        let expected = "a message must be a JSON object with an action";
        return Err(ServerError::new(ErrorCode::InvalidMessage, expected));
    };
    let action = fields.get("action").and_then(Value::as_str);
    if !action.is_some_and(|action| ACTIONS.contains(&action)) {
        let error = ServerError::new(ErrorCode::UnknownAction, "the action does not exist");
        return Err(error);
    }
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| ServerError::new(ErrorCode::InvalidMessage, error.to_string()))
}
