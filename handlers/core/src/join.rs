//! Coming in: what `$connect` and `joinSession` have in common.

use thiserror::Error;
use tracing::info;

use crate::audience::expired_listeners;
use crate::limits::{JOIN_RATE, MAX_CONNECTION};
use crate::messages::note;
use crate::ports::{Admission, Bucket, Ports, Refusal, Store, StoreError};
use crate::rates::{self, Limited};
use crate::{
    Clock, Connection, ConnectionId, Language, RateLimitFailure, Role, Session, SessionId, Status,
    Timestamp, UserId,
};

/// What a deployment decides about coming in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinSettings {
    /// How many listeners a session may have at once.
    pub max_listeners: u32,
    /// What happens while the table of rates does not answer.
    pub rate_limit_failure: RateLimitFailure,
}

/// Somebody who wants to come in.
#[derive(Clone, Debug, PartialEq)]
pub struct Newcomer {
    /// Their connection.
    pub connection_id: ConnectionId,
    /// When API Gateway accepted it.
    pub connected_at: Timestamp,
    /// From where.
    pub ip_address: String,
    /// Who they are, if that was verified.
    pub user_id: Option<UserId>,
    /// The session.
    pub session_id: SessionId,
    /// What they want to hear; the language that is spoken if they do not say.
    pub target_language: Option<Language>,
    /// The connection that this one is to replace.
    pub previous: Option<ConnectionId>,
}

/// Why somebody may not come in.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum JoinError {
    /// There is no such session.
    #[error("there is no such session")]
    NoSession,
    /// The session is paused, or has ended.
    #[error("the session is {}", .0.public())]
    NotActive(Status),
    /// Too many have come from there.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// There is no place left.
    #[error("the session has as many listeners as it may have")]
    Full,
    /// The connection is in another session, or in another role.
    #[error("the connection is in a session already")]
    Elsewhere,
    /// A table did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for JoinError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSession => JoinError::NoSession,
            Refusal::Status(status) => JoinError::NotActive(status),
            Refusal::Full => JoinError::Full,
            // The session was read as theirs and is somebody else's now: nobody hands sessions over.
            Refusal::NotOwner => JoinError::Elsewhere,
        }
    }
}

/// Somebody who came in.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// Their record.
    pub connection: Connection,
    /// The session as it was just before.
    pub session: Session,
}

/// Lets somebody in: the session exists and is active, they have not come too often, and there is place. The owner is
/// the speaker and takes no place; everybody else listens. Coming in twice is coming in once.
pub(crate) async fn join<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    newcomer: Newcomer,
) -> Result<Joined, JoinError> {
    let now = ports.clock.now();
    tracing::Span::current().record("sessionId", newcomer.session_id.as_str());
    let session = ports.store.session(&newcomer.session_id).await?;
    let session = session.ok_or(JoinError::NoSession)?;
    let status = session.status_at(now);
    if status != Status::Active {
        return Err(JoinError::NotActive(status));
    }
    let connection = record(&newcomer, &session, now);
    note(&session.session_id, connection.role);
    if connection.role == Role::Listener {
        // The owner is not counted: a speaker who has to reconnect from a crowded place must not wait.
        let bucket = Bucket::new("join", "ip", &newcomer.ip_address);
        let failure = settings.rate_limit_failure;
        rates::take(&ports.store, bucket, JOIN_RATE, failure, now).await?;
    }
    let admission = match connection.role {
        Role::Speaker => ports.store.admit_speaker(&connection, now).await?,
        Role::Listener => admit(ports, settings, &newcomer, &session, &connection).await?,
    };
    let connection = match admission {
        Admission::Admitted => {
            info!("Connection record created");
            connection
        }
        Admission::AlreadyThere(connection) => connection,
        Admission::Elsewhere(_) => return Err(JoinError::Elsewhere),
        Admission::Refused(refusal) => return Err(refusal.into()),
    };
    Ok(Joined {
        connection,
        session,
    })
}

fn record(newcomer: &Newcomer, session: &Session, now: Timestamp) -> Connection {
    let role = match newcomer.user_id.as_ref() == Some(&session.speaker_id) {
        true => Role::Speaker,
        false => Role::Listener,
    };
    let heard = || {
        newcomer
            .target_language
            .as_ref()
            .unwrap_or(&session.source_language)
    };
    Connection {
        connection_id: newcomer.connection_id.clone(),
        session_id: session.session_id.clone(),
        role,
        target_language: (role == Role::Listener).then(|| heard().clone()),
        user_id: newcomer.user_id.clone(),
        connected_at: newcomer.connected_at,
        ip_address: newcomer.ip_address.clone(),
        last_seen_at: now,
        refresh_requested_at: None,
        ttl: Connection::ttl_in(session),
    }
}

/// Finds a listener a place: a free one, that of the connection they replace, or that of a connection which is dead and
/// whose `$disconnect` never came (row M18).
async fn admit<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    newcomer: &Newcomer,
    session: &Session,
    connection: &Connection,
) -> Result<Admission, StoreError> {
    let (store, now) = (&ports.store, ports.clock.now());
    const FULL: Admission = Admission::Refused(Refusal::Full);
    let capacity = settings.max_listeners;
    let first = store.admit_listener(connection, capacity, now).await?;
    if first != FULL {
        return Ok(first);
    }
    if let Some(previous) = &newcomer.previous {
        let exchanged = store.exchange_listener(previous, connection, now).await?;
        if exchanged != FULL {
            return Ok(exchanged);
        }
    }
    // A session younger than a connection can be has no dead connections to look for.
    if now.since(session.created_at) <= MAX_CONNECTION {
        return Ok(FULL);
    }
    let dead = expired_listeners(store, &session.session_id, now).await?;
    match store
        .remove_listeners(&session.session_id, &dead, now)
        .await?
    {
        0 => Ok(FULL),
        _ => store.admit_listener(connection, capacity, now).await,
    }
}
