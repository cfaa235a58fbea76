//! Items of the tables. These types are the schema, which every reader and writer uses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stackgen_websocket::{ConnectionId, Timestamp};

use crate::limits::{MAX_SESSION, RECORD_RETENTION, SESSION_RETENTION};
use crate::{Language, SessionId, UserId, Volume};

/// A session: an item of the table Sessions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Partition key.
    pub session_id: SessionId,
    /// Owner: the `sub` claim of the user who speaks.
    pub speaker_id: UserId,
    /// The speaker's current connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker_connection_id: Option<ConnectionId>,
    /// The speaker's connection before that one, which may still be open. It is the same one if there was none before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier_speaker_connection_id: Option<ConnectionId>,
    /// Language that is spoken.
    pub source_language: Language,
    /// Audio quality.
    pub quality_tier: QualityTier,
    /// Status; only active sessions admit connections.
    pub status: SessionStatus,
    /// State of the speaker.
    pub broadcast_state: BroadcastState,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// TTL attribute, in seconds since 1970: at most a week after the session's end.
    pub expires_at: u64,
}

impl Session {
    /// Returns a new, active session without connections.
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
            earlier_speaker_connection_id: None,
            source_language,
            quality_tier,
            status: SessionStatus::Active,
            broadcast_state: BroadcastState::new(now),
            created_at: now,
            updated_at: now,
            expires_at: now.after(MAX_SESSION).after(SESSION_RETENTION).as_seconds(),
        }
    }

    /// Returns the latest end of the session.
    pub fn ends_at(&self) -> Timestamp {
        self.created_at.after(MAX_SESSION)
    }

    /// Returns the status at a time. After the maximum duration it is `Ended`, whatever the table holds.
    pub fn status_at(&self, now: Timestamp) -> SessionStatus {
        match now < self.ends_at() {
            true => self.status,
            false => SessionStatus::Ended,
        }
    }
}

/// Status of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionStatus {
    /// The session admits connections.
    Active,
    /// The session admits no connections for now.
    Paused,
    /// The session admits nobody any more, and its listeners are being removed. Clients see `ended`.
    Ending,
    /// The session has ended and has no listeners.
    Ended,
}

impl SessionStatus {
    /// Returns the status as clients see it.
    pub fn public(self) -> &'static str {
        match self {
            SessionStatus::Active => "active",
            SessionStatus::Paused => "paused",
            SessionStatus::Ending | SessionStatus::Ended => "ended",
        }
    }

    /// Returns true if the speaker, and listeners who replace a connection, may connect: a pause cuts nobody off.
    pub fn admits_reconnects(self) -> bool {
        matches!(self, SessionStatus::Active | SessionStatus::Paused)
    }

    /// Returns true if the session is ending or has ended.
    pub fn is_over(self) -> bool {
        matches!(self, SessionStatus::Ending | SessionStatus::Ended)
    }
}

/// Audio quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QualityTier {
    /// Speech quality.
    #[default]
    Standard,
    /// Higher quality.
    Premium,
}

/// State of the speaker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BroadcastState {
    /// True while the speaker is connected.
    pub is_active: bool,
    /// True while the speaker pauses.
    pub is_paused: bool,
    /// True while the microphone is muted.
    pub is_muted: bool,
    /// Volume.
    pub volume: Volume,
    /// Time of the last change.
    pub last_state_change: Timestamp,
}

impl BroadcastState {
    /// Returns the state before the speaker connects.
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

/// Listeners of a session, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerCounts {
    /// Number of listeners: always the number of listeners' records.
    pub total: u32,
    /// Number of listeners by the language that they hear.
    pub by_language: BTreeMap<Language, u32>,
}

/// Role of a connection in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The session's owner: the verified `sub` is its `speakerId`.
    Speaker,
    /// Everybody else.
    Listener,
}

impl Role {
    /// Returns the role as clients see it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Speaker => "speaker",
            Role::Listener => "listener",
        }
    }
}

/// A connection: an item of the table Connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Partition key.
    pub connection_id: ConnectionId,
    /// Session that the connection is in.
    pub session_id: SessionId,
    /// Role in the session.
    pub role: Role,
    /// Language that a listener hears. Speakers have none, which keeps them out of the index on this attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_language: Option<Language>,
    /// User that the authorizer verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Time at which API Gateway accepted the handshake (row E0).
    pub connected_at: Timestamp,
    /// Source IP address.
    pub ip_address: String,
    /// Time of the last heartbeat.
    pub last_seen_at: Timestamp,
    /// Time at which the client was asked to reconnect. It is asked once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_requested_at: Option<Timestamp>,
    /// TTL attribute, in seconds since 1970. It is later than any time at which the session counts the record.
    pub ttl: u64,
}

impl Connection {
    /// Returns the TTL attribute for connections of this session.
    pub fn ttl_in(session: &Session) -> u64 {
        session.ends_at().after(RECORD_RETENTION).as_seconds()
    }
}
