//! What clients say.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ErrorCode, ServerError};
use crate::limits::MAX_CONTROL_MESSAGE;
use crate::{Language, Role, SessionId, Volume};

/// A message of a client, but for audio. Fields that are not listed here are passed over, so that clients may be newer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    tag = "action",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ClientMessage {
    /// Come in, or choose a language: saying it again changes nothing.
    JoinSession {
        /// Where to.
        session_id: SessionId,
        /// What to hear.
        target_language: Language,
    },
    /// Hear another language.
    ChangeLanguage {
        /// What to hear.
        target_language: Language,
    },
    /// Still there.
    Heartbeat {},
    /// Take over from the connection before.
    RefreshConnection {
        /// The session.
        session_id: SessionId,
        /// What the connection is in it.
        role: Role,
        /// What a listener hears.
        target_language: Option<Language>,
        /// The connection before; without it, that one goes when it closes.
        previous_connection_id: Option<String>,
    },
    /// The speaker pauses.
    PauseBroadcast {},
    /// The speaker goes on.
    ResumeBroadcast {},
    /// The speaker's microphone is off.
    MuteBroadcast {},
    /// The speaker's microphone is on.
    UnmuteBroadcast {},
    /// The speaker's volume.
    SetVolume {
        /// From 0 to 1.
        volume_level: Volume,
    },
    /// All of the speaker's state at once.
    SpeakerStateChange {
        /// What it is now.
        state: SpeakerState,
    },
    /// How the session is doing.
    GetSessionStatus {},
    /// The speaker ends the session.
    EndSession {
        /// Which.
        session_id: SessionId,
        /// Why: told to everybody.
        reason: Option<String>,
    },
}

/// The speaker's state, as the speaker tells it.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpeakerState {
    /// Whether the speaker paused.
    pub is_paused: bool,
    /// Whether the microphone is off.
    pub is_muted: bool,
    /// How loud.
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

/// Reads a control message, of at most 4 KB.
pub fn parse(body: &str) -> Result<ClientMessage, ServerError> {
    if body.len() > MAX_CONTROL_MESSAGE {
        let limit = format!("a control message has at most {MAX_CONTROL_MESSAGE} bytes");
        return Err(ServerError::new(ErrorCode::MessageTooLarge, limit));
    }
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(body) else {
        let expected = "a message is a JSON object with an action";
        return Err(ServerError::new(ErrorCode::InvalidMessage, expected));
    };
    let action = fields.get("action").and_then(Value::as_str);
    if !action.is_some_and(|action| ACTIONS.contains(&action)) {
        let error = ServerError::new(ErrorCode::UnknownAction, "there is no such action");
        return Err(error);
    }
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| ServerError::new(ErrorCode::InvalidMessage, error.to_string()))
}
