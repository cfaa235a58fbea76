//! Schema of the tables. The template creates them, and this adapter uses them.
//!
//! Items are the types of `live-session-core` ([`Session`], [`Connection`]), serialized by serde. This module holds the
//! parts that a table's definition names, and the attributes that expressions may use.
//!
//! [`Session`]: live_session_core::Session
//! [`Connection`]: live_session_core::Connection

/// A table. All keys of the table and its index are strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// Name in stackgen.yaml. In an account, the environment's name follows it.
    pub name: &'static str,
    /// Partition key. No table has a sort key.
    pub key: &'static str,
    /// TTL attribute, in seconds since 1970.
    pub time_to_live: &'static str,
    /// Index of the table.
    pub index: Option<IndexSchema>,
    /// All attributes that an item may have.
    pub attributes: &'static [&'static str],
}

/// A global secondary index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexSchema {
    /// Name of the index.
    pub name: &'static str,
    /// Partition key.
    pub partition_key: &'static str,
    /// Sort key. Items without it are not in the index.
    pub sort_key: &'static str,
    /// Attributes that the index contains besides the keys of index and table. A write of other attributes, such as a
    /// heartbeat's, does not write the index.
    pub included: &'static [&'static str],
}

/// Table of sessions.
pub const SESSIONS: TableSchema = TableSchema {
    name: "Sessions",
    key: "sessionId",
    time_to_live: "expiresAt",
    index: None,
    attributes: &[
        "sessionId",
        "speakerId",
        "speakerConnectionId",
        "earlierSpeakerConnectionId",
        "sourceLanguage",
        "qualityTier",
        "status",
        "broadcastState",
        "createdAt",
        "updatedAt",
        "expiresAt",
    ],
};

/// Attributes of a session's `broadcastState`.
pub const BROADCAST_STATE: [&str; 5] = [
    "isActive",
    "isPaused",
    "isMuted",
    "volume",
    "lastStateChange",
];

/// Attributes of a shard of a session's places, which is an item of the table of sessions, too. Besides, it has the
/// number of listeners by language and by address, in attributes such as `language:de` and `address:203.0.113.7`.
pub const SHARD: [&str; 5] = [
    "sessionId",
    "listenerCount",
    "closed",
    "version",
    "expiresAt",
];

/// Table of connections.
pub const CONNECTIONS: TableSchema = TableSchema {
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
        "shard",
        "ttl",
    ],
};

/// Index of a session's listeners by language. Speakers have no `targetLanguage`, so they are not in it.
pub const LISTENERS: IndexSchema = IndexSchema {
    name: "sessionId-targetLanguage-index",
    partition_key: "sessionId",
    sort_key: "targetLanguage",
    // Readers need the key and the age of a connection. The age never changes.
    included: &["connectedAt"],
};

/// Table of token buckets.
pub const RATE_LIMITS: TableSchema = TableSchema {
    name: "RateLimits",
    key: "identifier",
    time_to_live: "expiresAt",
    index: None,
    attributes: &["identifier", "emptyAt", "takenBy", "expiresAt"],
};

/// Attributes of a reserved session ID, which is an item of the table of token buckets, too.
pub const RESERVED_ID: [&str; 3] = ["identifier", "sessionId", "expiresAt"];

/// Table of connect tickets, by the hash of their secret.
pub const TICKETS: TableSchema = TableSchema {
    name: "Tickets",
    key: "ticketHash",
    time_to_live: "expiresAt",
    index: None,
    attributes: &[
        "ticketHash",
        "sessionId",
        "role",
        "userId",
        "validUntil",
        "expiresAt",
    ],
};

/// All tables.
pub const TABLES: [TableSchema; 4] = [SESSIONS, CONNECTIONS, RATE_LIMITS, TICKETS];
