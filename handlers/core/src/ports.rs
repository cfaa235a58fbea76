//! Traits through which the rules use tables, connections and time.
//!
//! Every state change is one conditional or transactional write. It is atomic and idempotent. Reads by key are strongly
//! consistent; pages of listeners are eventually consistent.

use std::future::Future;
use std::time::Duration;

use stackgen_websocket::{ConnectionId, Timestamp};
use thiserror::Error;
use tokio::time::Instant;

use crate::limits::Rate;
use crate::{
    BroadcastState, Connection, CreationKey, GoneListeners, Language, ListenerCounts, Recipient,
    Session, SessionId, SessionStatus, Share, Ticket, TicketHash, UserId, Volume,
};

/// Failure of a table. The client's request is not the cause.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// Requests to the table, or to the session's item, are throttled or in conflict. Retrying later may help.
    #[error("{operation}: the table is throttled or contended")]
    Throttled {
        /// Operation that failed.
        operation: &'static str,
    },
    /// The table did not answer, or answered with a server error.
    #[error("{operation}: {reason}")]
    Unavailable {
        /// Operation that failed.
        operation: &'static str,
        /// Error of the client, without data and credentials.
        reason: String,
    },
    /// An item does not have the form that this code writes.
    #[error("{operation}: the item is malformed: {reason}")]
    Corrupt {
        /// Operation that failed.
        operation: &'static str,
        /// Description of the error.
        reason: String,
    },
}

/// Result of an operation on a store.
pub type StoreResult<T> = Result<T, StoreError>;

/// Reason why a session refuses a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionRefusal {
    /// The session does not exist.
    NoSession,
    /// The session has this status, which does not permit the change. After its maximum duration it is
    /// [`SessionStatus::Ended`].
    WrongStatus(SessionStatus),
    /// The session has its maximum number of listeners.
    Full,
    /// The listener's address has its maximum number of listeners in the session.
    AddressFull,
    /// The user does not own the session.
    NotOwner,
}

/// Store of sessions, one item per session.
pub trait SessionStore: Send + Sync {
    /// Writes a new session, unless its ID is in use. Returns true if it wrote the session.
    fn create(&self, session: &Session) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Reserves a session ID for the owner's request with this key. Returns `candidate`, or the ID that an earlier request with
    /// the same key reserved.
    fn reserve_id(
        &self,
        owner: &UserId,
        key: &CreationKey,
        candidate: &SessionId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<SessionId>> + Send;

    /// Returns the session, with a strongly consistent read.
    fn session(&self, id: &SessionId) -> impl Future<Output = StoreResult<Option<Session>>> + Send;

    /// Returns the numbers of the session's listeners, with strongly consistent reads.
    fn listener_counts(
        &self,
        id: &SessionId,
    ) -> impl Future<Output = StoreResult<ListenerCounts>> + Send;

    /// Sets the status to [`SessionStatus::Active`] or [`SessionStatus::Paused`], for the owner. Refused if the session is over.
    fn set_status(
        &self,
        id: &SessionId,
        owner: &UserId,
        to: SessionStatus,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Result<Session, SessionRefusal>>> + Send;

    /// Changes the given parts of the speaker's state, except `is_active`. Refused if the session is over.
    fn set_broadcast_state(
        &self,
        id: &SessionId,
        change: BroadcastChange,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Result<BroadcastState, SessionRefusal>>> + Send;

    /// Sets the status to [`SessionStatus::Ending`], for the owner: from now on the session admits nobody, for good. If the
    /// session is ending or has ended, returns it unchanged.
    fn begin_end(
        &self,
        id: &SessionId,
        owner: &UserId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Result<Session, SessionRefusal>>> + Send;

    /// Sets the status of an ending session without listeners to [`SessionStatus::Ended`]. Returns true if the session has
    /// ended, now or before, or is no longer in the table; false if it has listeners.
    fn finish_end(
        &self,
        id: &SessionId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send;
}

/// Change of the speaker's state. Fields that are `None` stay unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BroadcastChange {
    /// True while the speaker pauses.
    pub is_paused: Option<bool>,
    /// True while the microphone is muted.
    pub is_muted: Option<bool>,
    /// Volume.
    pub volume: Option<Volume>,
}

/// Maximum numbers of a session's listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Maximum number of listeners.
    pub listeners: u32,
    /// Maximum number of listeners with the same address (IPv6: the same network of 64 bits). A nearly full session may
    /// refuse an address somewhat earlier.
    pub per_address: u32,
}

/// Result of a request to join.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    /// The record is written, and the listener counted.
    Admitted,
    /// The connection is in this session and role already; nothing changed.
    AlreadyJoined(Connection),
    /// The connection is in another session or role; nothing changed.
    InOtherSession(Connection),
    /// The session refused; nothing changed.
    Refused(SessionRefusal),
}

/// Store of connections, one record per connection. It also maintains the session's listener count and speaker
/// connection.
pub trait ConnectionStore: Send + Sync {
    /// Returns the connection's record, with a strongly consistent read.
    fn connection(
        &self,
        id: &ConnectionId,
    ) -> impl Future<Output = StoreResult<Option<Connection>>> + Send;

    /// Writes a listener's record and counts it, atomically, if the session has room for it. The session must be active
    /// and not past its maximum duration when the call begins, and must not end before the record is written.
    fn admit_listener(
        &self,
        connection: &Connection,
        capacity: Capacity,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Admission>> + Send;

    /// Replaces the record of `previous` by a new listener's record; the count stays the same. Both must be in the same
    /// session and belong to the same user, or both to none. It serves clients that reconnect to a full or paused session.
    /// If there is no such record, the refusal is [`SessionRefusal::Full`].
    fn exchange_listener(
        &self,
        previous: &ConnectionId,
        connection: &Connection,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Admission>> + Send;

    /// Writes the speaker's record and makes its connection the session's speaker connection, atomically. The session
    /// must be active or paused and not past its maximum duration, and the user must own it. An earlier connection of the
    /// speaker keeps its record until it disconnects, so that audio in flight is still accepted.
    fn admit_speaker(
        &self,
        connection: &Connection,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Admission>> + Send;

    /// Changes the language that a listener hears. Returns `None` if there is no such listener.
    fn change_language(
        &self,
        id: &ConnectionId,
        language: &Language,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<Connection>>> + Send;

    /// Updates the time of the last heartbeat. Returns `None` if the connection has no record.
    fn touch(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<Connection>>> + Send;

    /// Records that the connection is asked to reconnect. Returns true the first time only.
    fn request_refresh(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<bool>> + Send;

    /// Removes a connection's record. Atomically lowers the listener count. If it is the session's speaker connection, the
    /// speaker's earlier connection becomes the speaker connection again, or else the session has none. Returns `None` if
    /// there is no record.
    fn remove(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<RemovedConnection>>> + Send;

    /// Returns a page of a session's listeners, of one language or of all, in index order. The first page has `from`
    /// `None`; pass `next` until it is `None`.
    fn listeners(
        &self,
        session: &SessionId,
        language: Option<&Language>,
        from: Option<PageKey>,
    ) -> impl Future<Output = StoreResult<ListenerPage>> + Send;

    /// Removes the records of these listeners and lowers the count. Skips listeners without a record. Returns the
    /// number of removed records.
    fn remove_listeners(
        &self,
        session: &SessionId,
        ids: &[ConnectionId],
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<u32>> + Send;
}

/// Store of connect tickets, one item per ticket, by the hash of its secret.
pub trait TicketStore: Send + Sync {
    /// Writes a new ticket.
    fn put_ticket(
        &self,
        hash: &TicketHash,
        ticket: &Ticket,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Deletes the ticket if it is for this session and valid, and returns it. Of several calls at once, one gets it.
    fn redeem_ticket(
        &self,
        hash: &TicketHash,
        session: &SessionId,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<Option<Ticket>>> + Send;
}

/// Comparison of all records with the sessions' counts.
pub trait ConnectionAudit: Send + Sync {
    /// Reads all records, at most `limit`, with strongly consistent reads. If these are all, corrects counts that differ from
    /// the records, unless connections join or leave meanwhile. Begins no correction after `until`, and leaves those that fail
    /// to the next audit.
    fn audit(
        &self,
        limit: usize,
        now: Timestamp,
        until: Instant,
    ) -> impl Future<Output = StoreResult<Audit>> + Send;
}

/// Result of an audit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    /// The records.
    pub connections: Vec<Connection>,
    /// True if these are all records, and no correction failed or was left for lack of time.
    pub is_complete: bool,
    /// Number of counters that were corrected.
    pub corrected: u32,
}

/// A removed connection.
#[derive(Clone, Debug, PartialEq)]
pub struct RemovedConnection {
    /// Its record.
    pub connection: Connection,
    /// True if it was the session's speaker connection. The session then has none.
    pub was_speaking: bool,
}

/// A page of listeners.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListenerPage {
    /// The listeners.
    pub listeners: Vec<Recipient>,
    /// Start of the next page; `None` on the last page.
    pub next: Option<PageKey>,
}

/// Start of a page. Only the store interprets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageKey {
    /// Language of the last listener on the page before.
    pub language: Language,
    /// Connection ID of that listener.
    pub connection_id: ConnectionId,
}

/// Rate limiter with token buckets.
pub trait RateLimiter: Send + Sync {
    /// Takes a token from a bucket. New buckets are full; they refill at a constant rate.
    fn take(
        &self,
        bucket: &Bucket,
        rate: Rate,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<TakeResult>> + Send;

    /// Returns what [`take`](Self::take) would return, and takes nothing.
    fn peek(
        &self,
        bucket: &Bucket,
        rate: Rate,
        now: Timestamp,
    ) -> impl Future<Output = StoreResult<TakeResult>> + Send;
}

/// Key of a bucket: `operation:kind:value`, as in `join:ip:203.0.113.7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket(String);

impl Bucket {
    /// Returns the key of a bucket.
    pub fn new(operation: &str, kind: &str, value: &str) -> Self {
        Bucket(format!("{operation}:{kind}:{value}"))
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Result of taking a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeResult {
    /// The bucket had a token.
    Taken,
    /// The bucket was empty.
    Empty {
        /// Time until there is a token.
        retry_after: Duration,
    },
}

/// Hands work to further invocations of this function, without waiting for them to end.
pub trait Relay: Send + Sync {
    /// Hands over one share of an audience.
    fn hand_over(&self, share: &Share) -> impl Future<Output = Result<(), RelayError>> + Send;

    /// Hands over the removal of closed connections.
    fn hand_over_removal(
        &self,
        gone: &GoneListeners,
    ) -> impl Future<Output = Result<(), RelayError>> + Send;
}

/// Work that could not be handed over.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("cannot hand over work: {0}")]
pub struct RelayError(pub String);

/// Store of sessions, connections, tickets and rates.
pub trait Store: SessionStore + ConnectionStore + TicketStore + RateLimiter {}

impl<T: SessionStore + ConnectionStore + TicketStore + RateLimiter> Store for T {}

/// Implementations that the rules run with.
#[derive(Clone, Debug)]
pub struct Ports<S, B, C> {
    /// The tables.
    pub store: S,
    /// Posts messages to connections.
    pub broadcaster: B,
    /// Supplies the current time.
    pub clock: C,
}
