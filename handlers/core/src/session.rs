//! What the tables hold. These types are the schema: every reader and every writer uses them.

use serde::{Deserialize, Serialize};
use stackgen_websocket::{ConnectionId, Timestamp};

use crate::limits::{MAX_SESSION, RECORD_GRACE, SESSION_GRACE};
use crate::{Language, SessionId, UserId, Volume};

/// A session, as the table Sessions holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id, the table's key.
    pub session_id: SessionId,
    /// Whose it is: the caller with this subject is its speaker.
    pub speaker_id: UserId,
    /// The speaker's connection, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker_connection_id: Option<ConnectionId>,
    /// The language that is spoken.
    pub source_language: Language,
    /// How good the audio is.
    pub quality_tier: QualityTier,
    /// Whether people may come in.
    pub status: Status,
    /// How many listeners there are: exactly as many as have a record.
    pub listener_count: u32,
    /// What the speaker is doing.
    pub broadcast_state: BroadcastState,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the table may forget it, in seconds since 1970: a week after its end at the latest.
    pub expires_at: u64,
}

impl Session {
    /// A new session: active, without anybody in it.
    pub fn new(
        session_id: SessionId,
        speaker_id: UserId,
        source_language: Language,
        quality_tier: QualityTier,
        now: Timestamp,
    ) -> Self {
        Session {
            session_id,
            speaker_id,
            speaker_connection_id: None,
            source_language,
            quality_tier,
            status: Status::Active,
            listener_count: 0,
            broadcast_state: BroadcastState::new(now),
            created_at: now,
            updated_at: now,
            expires_at: now.after(MAX_SESSION).after(SESSION_GRACE).as_seconds(),
        }
    }

    /// When it is over at the latest, ended or not.
    pub fn ends_at(&self) -> Timestamp {
        self.created_at.after(MAX_SESSION)
    }

    /// Its status at a moment: a session past its end has ended, whatever was written last.
    pub fn status_at(&self, now: Timestamp) -> Status {
        match now < self.ends_at() {
            true => self.status,
            false => Status::Ended,
        }
    }
}

/// Whether people may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// They may.
    Active,
    /// Not now.
    Paused,
    /// Not any more; the listeners are being let out. To the outside this is `ended`.
    Ending,
    /// Not any more, and nobody is in it.
    Ended,
}

impl Status {
    /// As the protocol says it.
    pub fn public(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Paused => "paused",
            Status::Ending | Status::Ended => "ended",
        }
    }

    /// Whether it is over, or about to be.
    pub fn is_over(self) -> bool {
        matches!(self, Status::Ending | Status::Ended)
    }
}

/// How good the audio is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QualityTier {
    /// Good enough for speech.
    #[default]
    Standard,
    /// Better.
    Premium,
}

/// What the speaker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BroadcastState {
    /// Whether the speaker is connected.
    pub is_active: bool,
    /// Whether the speaker paused.
    pub is_paused: bool,
    /// Whether the speaker muted the microphone.
    pub is_muted: bool,
    /// How loud.
    pub volume: Volume,
    /// When one of them last changed.
    pub last_state_change: Timestamp,
}

impl BroadcastState {
    /// Nobody speaks yet.
    pub fn new(now: Timestamp) -> Self {
        BroadcastState {
            is_active: false,
            is_paused: false,
            is_muted: false,
            volume: Volume::FULL,
            last_state_change: now,
        }
    }
}

/// What a connection is in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The session's owner: the verified subject is its speakerId.
    Speaker,
    /// Everybody else.
    Listener,
}

impl Role {
    /// As the protocol says it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Speaker => "speaker",
            Role::Listener => "listener",
        }
    }
}

/// A connection, as the table Connections holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Its id, the table's key.
    pub connection_id: ConnectionId,
    /// The session it is in.
    pub session_id: SessionId,
    /// What it is there.
    pub role: Role,
    /// What a listener hears. A speaker has none, and so keeps out of the index over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_language: Option<Language>,
    /// Who it is, if that was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// When API Gateway accepted it (row E0).
    pub connected_at: Timestamp,
    /// From where.
    pub ip_address: String,
    /// When it last gave a sign of life.
    pub last_seen_at: Timestamp,
    /// When it was told to refresh: that is told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_requested_at: Option<Timestamp>,
    /// When the table may forget it, in seconds since 1970: never while its session counts it.
    pub ttl: u64,
}

impl Connection {
    /// When the table may forget a connection of this session.
    pub fn ttl_in(session: &Session) -> u64 {
        session.ends_at().after(RECORD_GRACE).as_seconds()
    }
}
