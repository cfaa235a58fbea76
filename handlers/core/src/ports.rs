//! What the rules need of the world, named for what it is for.
//!
//! Every transition is one write, conditional or transactional: it happens whole or not at all, and asking again for
//! what has happened changes nothing. Reads by key see every write before them; pages of listeners may lag a little.

use std::future::Future;
use std::time::Duration;

use stackgen_websocket::{ConnectionId, Timestamp};
use thiserror::Error;

use crate::{
    BroadcastState, Connection, Language, Session, SessionId, Share, Status, UserId, Volume,
};

/// A table that did not do as asked. Nobody's request is to blame.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// The table, or the session's item, is asked too much; trying again later may help.
    #[error("{operation}: the table is throttled or contended")]
    Throttled {
        /// What was asked.
        operation: &'static str,
    },
    /// No answer, or a failure on the table's side.
    #[error("{operation}: {reason}")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// What came back; without data and credentials.
        reason: String,
    },
    /// What the table holds is not what this code writes.
    #[error("{operation}: the item is not as it should be: {reason}")]
    Corrupt {
        /// What was asked.
        operation: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// What comes of a question to a store.
pub type Stored<T> = Result<T, StoreError>;

/// Why a session does not let a transition happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such session.
    NoSession,
    /// It is this, and would have to be something else. Past its end, it is [`Status::Ended`].
    Status(Status),
    /// It has as many listeners as it may have.
    Full,
    /// It is somebody else's.
    NotOwner,
}

/// Sessions, one item each.
pub trait SessionStore: Send + Sync {
    /// Writes a new session, unless its id is taken: true if it was written.
    fn create(&self, session: &Session) -> impl Future<Output = Stored<bool>> + Send;

    /// The session as it stands now.
    fn session(&self, id: &SessionId) -> impl Future<Output = Stored<Option<Session>>> + Send;

    /// The owner opens or closes the doors: `to` is [`Status::Active`] or [`Status::Paused`]. Refused when the session
    /// is over.
    fn set_status(
        &self,
        id: &SessionId,
        owner: &UserId,
        to: Status,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Result<Session, Refusal>>> + Send;

    /// The speaker's state changes in these parts; `is_active` stays. Refused when the session is over.
    fn set_broadcast_state(
        &self,
        id: &SessionId,
        change: BroadcastChange,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Result<BroadcastState, Refusal>>> + Send;

    /// The owner ends it: from now on nobody comes in and nothing reopens it ([`Status::Ending`]). A session that is
    /// ending or has ended is returned as it is.
    fn begin_end(
        &self,
        id: &SessionId,
        owner: &UserId,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Result<Session, Refusal>>> + Send;

    /// An ending session without listeners has ended: true if it has, now or before. False while there are listeners. A
    /// session that the table has forgotten has ended, too.
    fn finish_end(
        &self,
        id: &SessionId,
        now: Timestamp,
    ) -> impl Future<Output = Stored<bool>> + Send;
}

/// The parts of the speaker's state that change; what is `None` stays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BroadcastChange {
    /// Whether the speaker paused.
    pub is_paused: Option<bool>,
    /// Whether the speaker muted the microphone.
    pub is_muted: Option<bool>,
    /// How loud.
    pub volume: Option<Volume>,
}

/// What comes of asking to be let in.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    /// The record is written, and a listener counted.
    Admitted,
    /// It was there already, in this session and role: nothing changed.
    AlreadyThere(Connection),
    /// The connection has a record in another session or role: nothing changed.
    Elsewhere(Connection),
    /// Not let in, nothing changed.
    Refused(Refusal),
}

/// Connections, one record each, and with them the session's count of listeners and its speaker's connection.
pub trait ConnectionStore: Send + Sync {
    /// The connection's record as it stands now.
    fn connection(
        &self,
        id: &ConnectionId,
    ) -> impl Future<Output = Stored<Option<Connection>>> + Send;

    /// Writes a listener's record and counts it, both or neither, if the session is active, not past its end and has
    /// fewer than `capacity` listeners.
    fn admit_listener(
        &self,
        connection: &Connection,
        capacity: u32,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Admission>> + Send;

    /// Writes a listener's record in place of the one that the same user's (or an equally anonymous) `previous` connection
    /// has in the same session; the count stays. For a full session, in which a refresh would find no place. If there is no such
    /// record, the session is [`Refusal::Full`].
    fn exchange_listener(
        &self,
        previous: &ConnectionId,
        connection: &Connection,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Admission>> + Send;

    /// Writes the speaker's record and makes the connection the session's speaker connection, both or neither, if the
    /// session is active, not past its end and the connection's user its owner. An earlier connection of the speaker
    /// keeps its record, so that what it is still sending goes through, until it disconnects.
    fn admit_speaker(
        &self,
        connection: &Connection,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Admission>> + Send;

    /// A listener hears another language from now on; everything else stays. `None` if there is no such listener.
    fn change_language(
        &self,
        id: &ConnectionId,
        language: &Language,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Option<Connection>>> + Send;

    /// The connection gave a sign of life. `None` if it has no record.
    fn touch(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Option<Connection>>> + Send;

    /// Notes that the connection is being told to refresh: true the first time only.
    fn request_refresh(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> impl Future<Output = Stored<bool>> + Send;

    /// Takes a connection's record away, and with it its count (a listener's) or its place as the session's speaker
    /// connection (the current speaker's), all or nothing. `None` if there is no record.
    fn remove(
        &self,
        id: &ConnectionId,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Option<Removed>>> + Send;

    /// A page of a session's listeners, those of one language or all, in the order of the index. Start with `None`;
    /// go on with the page's `next` until there is none.
    fn listeners(
        &self,
        session: &SessionId,
        language: Option<&Language>,
        from: Option<PageKey>,
    ) -> impl Future<Output = Stored<Page>> + Send;

    /// Takes away the records of these listeners, and their counts with them; who is gone already is passed over.
    /// Returns how many were removed.
    fn remove_listeners(
        &self,
        session: &SessionId,
        ids: &[ConnectionId],
        now: Timestamp,
    ) -> impl Future<Output = Stored<u32>> + Send;
}

/// A record that was taken away.
#[derive(Clone, Debug, PartialEq)]
pub struct Removed {
    /// What it was.
    pub connection: Connection,
    /// Whether it was the session's speaker connection, so that the session has none now.
    pub was_speaking: bool,
}

/// A page of listeners.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The listeners' records.
    pub listeners: Vec<Connection>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<PageKey>,
}

/// Where a page starts: opaque to all but the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageKey {
    /// The language of the last listener on the page before.
    pub language: Language,
    /// Its connection.
    pub connection_id: ConnectionId,
}

/// Counts what people do, and says when it is too much.
pub trait RateLimiter: Send + Sync {
    /// Takes one token out of a bucket. A bucket is full at first, and fills up again evenly.
    fn take(
        &self,
        bucket: &Bucket,
        rate: Rate,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Taken>> + Send;
}

/// Whose tokens: `operation:kind:value`, as in `join:ip:203.0.113.7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket(String);

impl Bucket {
    /// The bucket for what somebody does.
    pub fn new(operation: &str, kind: &str, value: &str) -> Self {
        Bucket(format!("{operation}:{kind}:{value}"))
    }

    /// Its identifier, the table's key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many, in how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many tokens a full bucket holds.
    pub tokens: u32,
    /// In what time an empty bucket fills up.
    pub per: Duration,
}

/// What comes of taking a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There was one.
    Yes,
    /// There was none; there is one after this time.
    No {
        /// How long that is.
        retry_after: Duration,
    },
}

/// Hands shares of an audience to further invocations of this function.
pub trait Relay: Send + Sync {
    /// Hands one over. The other invocation is not waited for.
    fn hand_over(&self, share: &Share) -> impl Future<Output = Result<(), RelayError>> + Send;
}

/// A share that nobody took over.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the share was not taken over: {0}")]
pub struct RelayError(pub String);

/// Sessions, connections and rates together.
pub trait Store: SessionStore + ConnectionStore + RateLimiter {}

impl<T: SessionStore + ConnectionStore + RateLimiter> Store for T {}

/// What the rules are given of the world.
#[derive(Clone, Debug)]
pub struct Ports<S, B, C> {
    /// The tables.
    pub store: S,
    /// Posts to connections.
    pub broadcaster: B,
    /// Tells the time.
    pub clock: C,
}
