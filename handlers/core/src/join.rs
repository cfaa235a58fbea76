//! Admission to a session, for `$connect` and `joinSession`.

use thiserror::Error;
use tracing::info;

use crate::audience::expired_listeners;
use crate::callers::{Caller, check_limits, find_session};
use crate::limits::MAX_CONNECTION;
use crate::ports::{Admission, Capacity, Ports, SessionRefusal, Store, StoreError};
use crate::rates::RateLimitError;
use crate::{
    CallerLimits, Clock, Connection, ConnectionId, Grant, Language, Role, Session, SessionId,
    SessionStatus, Timestamp, UserId,
};

/// Settings for admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinSettings {
    /// Maximum numbers of listeners in a session at once.
    pub capacity: Capacity,
    /// Limits on the joins of one caller.
    pub caller: CallerLimits,
}

/// Request to join a session.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinRequest {
    /// Connection ID.
    pub connection_id: ConnectionId,
    /// Time at which API Gateway accepted the handshake.
    pub connected_at: Timestamp,
    /// Source IP address.
    pub ip_address: String,
    /// User that the authorizer verified.
    pub user_id: Option<UserId>,
    /// Limits of the ticket with which the connection was opened, if it was.
    pub grant: Option<Grant>,
    /// The session.
    pub session_id: SessionId,
    /// Language to hear (default: the session's source language).
    pub target_language: Option<Language>,
    /// Connection that this one replaces.
    pub previous: Option<ConnectionId>,
}

/// Reason to refuse a connection.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum JoinError {
    /// The session does not exist.
    #[error("the session does not exist")]
    NoSession,
    /// The session is paused or has ended.
    #[error("the session is {}", .0.public())]
    NotActive(SessionStatus),
    /// The caller joined too often, or named too many sessions that do not exist.
    #[error(transparent)]
    RateLimited(#[from] RateLimitError),
    /// The session has its maximum number of listeners.
    #[error("the session is full")]
    Full,
    /// The session has the maximum number of listeners with this address.
    #[error("too many listeners have this address")]
    AddressFull,
    /// The connection's ticket is for another session or user.
    #[error("the ticket is for another session or user")]
    OtherTicket,
    /// The connection is in another session or has another role.
    #[error("the connection is in another session or role")]
    InOtherSession,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SessionRefusal> for JoinError {
    fn from(refusal: SessionRefusal) -> Self {
        match refusal {
            SessionRefusal::NoSession => JoinError::NoSession,
            SessionRefusal::WrongStatus(status) => JoinError::NotActive(status),
            SessionRefusal::Full => JoinError::Full,
            SessionRefusal::AddressFull => JoinError::AddressFull,
            // The owner was read before, and sessions never change owners: this does not occur.
            SessionRefusal::NotOwner => JoinError::InOtherSession,
        }
    }
}

/// A connection that joined.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinedConnection {
    /// Its record.
    pub connection: Connection,
    /// The session, as read before the connection joined.
    pub session: Session,
}

/// Admits a connection if the caller's limits allow it, the session is active and not full. The owner is the speaker and
/// does not count; everybody else is a listener. Joining twice changes nothing. While the session is paused, it admits the
/// owner, and listeners who replace their own connection, because API Gateway closes connections after two hours.
///
/// The limits come first, so that a caller who exceeds them does not learn whether the session exists.
pub(crate) async fn join<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    request: JoinRequest,
) -> Result<JoinedConnection, JoinError> {
    let now = ports.clock.now();
    tracing::Span::current().record("sessionId", request.session_id.as_str());
    let caller = Caller::new(request.user_id.as_ref(), &request.ip_address);
    check_limits(&ports.store, &caller, "join", settings.caller, now).await?;
    if let Some(grant) = &request.grant
        && grant.session_id != request.session_id
    {
        return Err(JoinError::OtherTicket);
    }
    let session = find_session(ports, &caller, settings.caller, &request.session_id).await?;
    let session = session.ok_or(JoinError::NoSession)?;
    let connection = new_record(&request, role(&request, &session)?, &session, now);
    let status = session.status_at(now);
    let is_reconnect = connection.role == Role::Speaker || request.previous.is_some();
    if status != SessionStatus::Active && !(status.admits_reconnects() && is_reconnect) {
        return Err(JoinError::NotActive(status));
    }
    record_in_span(&session.session_id, connection.role);
    let admission = match connection.role {
        Role::Speaker => ports.store.admit_speaker(&connection, now).await?,
        Role::Listener => admit_listener(ports, settings, &request, &session, &connection).await?,
    };
    let connection = match admission {
        Admission::Admitted => {
            info!("Connection record created");
            connection
        }
        Admission::AlreadyJoined(connection) => connection,
        Admission::InOtherSession(_) => return Err(JoinError::InOtherSession),
        Admission::Refused(refusal) => return Err(refusal.into()),
    };
    Ok(JoinedConnection {
        connection,
        session,
    })
}

/// Returns the role of a connection: the owner speaks, unless the connection's ticket is for listeners.
fn role(request: &JoinRequest, session: &Session) -> Result<Role, JoinError> {
    let is_owner = request.user_id.as_ref() == Some(&session.speaker_id);
    match request.grant.as_ref().map(|grant| grant.role) {
        Some(Role::Listener) => Ok(Role::Listener),
        // Only owners get such a ticket, and sessions never change owners.
        Some(Role::Speaker) if !is_owner => Err(JoinError::OtherTicket),
        Some(Role::Speaker) => Ok(Role::Speaker),
        None if is_owner => Ok(Role::Speaker),
        None => Ok(Role::Listener),
    }
}

fn new_record(request: &JoinRequest, role: Role, session: &Session, now: Timestamp) -> Connection {
    let language = || {
        request
            .target_language
            .as_ref()
            .unwrap_or(&session.source_language)
    };
    Connection {
        connection_id: request.connection_id.clone(),
        session_id: session.session_id.clone(),
        role,
        target_language: (role == Role::Listener).then(|| language().clone()),
        user_id: request.user_id.clone(),
        connected_at: request.connected_at,
        ip_address: request.ip_address.clone(),
        last_seen_at: now,
        refresh_requested_at: None,
        ttl: Connection::ttl_in(session),
    }
}

/// Admits a listener. If the session is full or paused, the listener replaces `previous`. If it is full, the listener may also
/// replace a closed connection whose `$disconnect` never came (row M18).
async fn admit_listener<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    request: &JoinRequest,
    session: &Session,
    connection: &Connection,
) -> Result<Admission, StoreError> {
    let (store, now) = (&ports.store, ports.clock.now());
    const FULL: Admission = Admission::Refused(SessionRefusal::Full);
    let capacity = settings.capacity;
    let paused = Admission::Refused(SessionRefusal::WrongStatus(SessionStatus::Paused));
    if let (SessionStatus::Paused, Some(previous)) = (session.status, &request.previous) {
        let exchanged = store.exchange_listener(previous, connection, now).await?;
        return Ok(match exchanged {
            FULL => paused,
            exchanged => exchanged,
        });
    }
    let first = store.admit_listener(connection, capacity, now).await?;
    if first != FULL {
        return Ok(first);
    }
    if let Some(previous) = &request.previous {
        let exchanged = store.exchange_listener(previous, connection, now).await?;
        if exchanged != FULL {
            return Ok(exchanged);
        }
    }
    // A session that is younger than the maximum age of a connection has no such connections.
    if now.since(session.created_at) <= MAX_CONNECTION {
        return Ok(FULL);
    }
    let closed = expired_listeners(store, &session.session_id, now).await?;
    match store
        .remove_listeners(&session.session_id, &closed, now)
        .await?
    {
        0 => Ok(FULL),
        _ => store.admit_listener(connection, capacity, now).await,
    }
}

/// Adds the session and the role to all further log lines of this request.
fn record_in_span(session_id: &SessionId, role: Role) {
    let span = tracing::Span::current();
    span.record("sessionId", session_id.as_str());
    span.record("role", role.name());
}
