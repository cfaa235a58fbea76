//! Connect tickets, as a store keeps them. [`tickets`](crate::tickets) issues and redeems them.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use stackgen_websocket::Timestamp;

use crate::{Role, SessionId, UserId};

/// A ticket, as the table stores it, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// The session that it opens.
    pub session_id: SessionId,
    /// The role in it.
    pub role: Role,
    /// The user to whom it was issued.
    pub user_id: UserId,
    /// Time until which it is valid.
    pub valid_until: Timestamp,
    /// TTL attribute, in seconds since 1970. DynamoDB may delete items days later, so `valid_until` decides.
    pub expires_at: u64,
}

/// Limits of the bearer of a redeemed ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The only session that the connection may join.
    pub session_id: SessionId,
    /// The role that it has there. The owner with a ticket for listeners listens.
    pub role: Role,
}

/// SHA-256 of a secret, in hexadecimal. Who reads the table cannot use it as a ticket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketHash(String);

impl TicketHash {
    /// Returns the hash of a secret.
    pub fn of(secret: &str) -> Self {
        TicketHash(sha256(secret.as_bytes()))
    }

    /// Returns the hash as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns a SHA-256 hash in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    let bytes = hash.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
