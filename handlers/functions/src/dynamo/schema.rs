//! The tables: what the stack creates, and what this adapter stands on.
//!
//! The items are the types of `live-session-core` ([`Session`], [`Connection`]) as serde writes them; what is here are the
//! parts that a table's definition names, and the names that expressions may use.
//!
//! [`Session`]: live_session_core::Session
//! [`Connection`]: live_session_core::Connection

/// A table. Its keys and its index's keys are strings, all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name in the stack's file; in an account the environment's name comes behind it.
    pub name: &'static str,
    /// The partition key. None has a sort key.
    pub key: &'static str,
    /// The attribute that says when an item may be forgotten, in seconds since 1970.
    pub time_to_live: &'static str,
    /// Its index, if it has one.
    pub index: Option<Index>,
    /// Every attribute that an item may have.
    pub attributes: &'static [&'static str],
}

/// A global secondary index over all attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its partition key.
    pub partition_key: &'static str,
    /// Its sort key. An item without it keeps out of the index.
    pub sort_key: &'static str,
}

/// Sessions, one item each.
pub const SESSIONS: Table = Table {
    name: "Sessions",
    key: "sessionId",
    time_to_live: "expiresAt",
    index: None,
    attributes: &[
        "sessionId",
        "speakerId",
        "speakerConnectionId",
        "sourceLanguage",
        "qualityTier",
        "status",
        "listenerCount",
        "broadcastState",
        "createdAt",
        "updatedAt",
        "expiresAt",
    ],
};

/// The parts of a session's `broadcastState`.
pub const BROADCAST_STATE: [&str; 5] = [
    "isActive",
    "isPaused",
    "isMuted",
    "volume",
    "lastStateChange",
];

/// Connections, one item each.
pub const CONNECTIONS: Table = Table {
    name: "Connections",
    key: "connectionId",
    time_to_live: "ttl",
    index: Some(LISTENERS),
    attributes: &[
        "connectionId",
        "sessionId",
        "role",
        "targetLanguage",
        "userId",
        "connectedAt",
        "ipAddress",
        "lastSeenAt",
        "refreshRequestedAt",
        "ttl",
    ],
};

/// A session's listeners by language. Speakers have no `targetLanguage`, and so are not in it.
pub const LISTENERS: Index = Index {
    name: "sessionId-targetLanguage-index",
    partition_key: "sessionId",
    sort_key: "targetLanguage",
};

/// Buckets of tokens, one item each.
pub const RATE_LIMITS: Table = Table {
    name: "RateLimits",
    key: "identifier",
    time_to_live: "expiresAt",
    index: None,
    attributes: &["identifier", "tokens", "updatedAt", "expiresAt"],
};

/// All of them.
pub const TABLES: [Table; 3] = [SESSIONS, CONNECTIONS, RATE_LIMITS];
