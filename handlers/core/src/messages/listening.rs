//! Coming in, choosing a language, moving to another connection.

use stackgen_websocket::Clock;

use super::{Answers, Sender, errors, sender_record};
use crate::join::{JoinSettings, Newcomer, join};
use crate::ports::{Ports, Store, Stored};
use crate::protocol::{ServerError, ServerMessage};
use crate::values::said_connection_id;
use crate::{Connection, ConnectionId, Language, Role, Session, SessionId};

/// A connection has been in its session since `$connect`, so that this mostly chooses the language. One whose record is
/// gone, because its session ended, comes in anew.
pub(super) async fn join_session<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    sender: &Sender,
    session_id: SessionId,
    target_language: Language,
) -> Answers {
    let store = &ports.store;
    let (connection, session) = match store.connection(&sender.connection_id).await? {
        Some(connection) => {
            let connection = listener_in(connection, &session_id)?;
            let connection = hearing(ports, connection, &target_language).await?;
            let session = store.session(&session_id).await?;
            (connection, session.ok_or_else(errors::not_in_session)?)
        }
        None => come_in(ports, settings, sender, session_id, target_language.clone()).await?,
    };
    Ok(vec![ServerMessage::SessionJoined {
        session_id: connection.session_id,
        target_language,
        source_language: session.source_language,
        connection_id: connection.connection_id,
        timestamp: ports.clock.now(),
    }])
}

async fn come_in<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    sender: &Sender,
    session_id: SessionId,
    target_language: Language,
) -> Result<(Connection, Session), ServerError> {
    let newcomer = Newcomer {
        connection_id: sender.connection_id.clone(),
        connected_at: sender.connected_at,
        ip_address: sender.ip_address.clone(),
        user_id: sender.user_id.clone(),
        session_id,
        target_language: Some(target_language),
        previous: None,
    };
    let joined = join(ports, settings, newcomer).await?;
    Ok((joined.connection, joined.session))
}

fn listener_in(connection: Connection, session: &SessionId) -> Result<Connection, ServerError> {
    if connection.session_id != *session {
        return Err(errors::other_session());
    }
    match connection.role {
        Role::Listener => Ok(connection),
        Role::Speaker => Err(errors::other_role()),
    }
}

/// The listener, hearing the language from now on.
async fn hearing<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    connection: Connection,
    language: &Language,
) -> Result<Connection, ServerError> {
    if connection.target_language.as_ref() == Some(language) {
        return Ok(connection);
    }
    let (id, now) = (&connection.connection_id, ports.clock.now());
    let changed = ports.store.change_language(id, language, now).await?;
    changed.ok_or_else(errors::not_in_session)
}

/// The connection stays, and so does the time since when it is there.
pub(super) async fn change_language<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    language: &Language,
) -> Answers {
    let connection = sender_record(&ports.store, id).await?;
    if connection.role == Role::Speaker {
        return Err(errors::other_role());
    }
    hearing(ports, connection, language).await?;
    Ok(vec![ServerMessage::LanguageChanged {
        target_language: language.clone(),
        timestamp: ports.clock.now(),
    }])
}

/// What a connection says it is.
pub(super) struct Claim {
    pub(super) session_id: SessionId,
    pub(super) role: Role,
    pub(super) target_language: Option<Language>,
}

/// The new connection has had its role since `$connect`, and the one before keeps its own until here: in between both
/// are served, so that nothing is missed. The one before then loses its record, and with it its place.
pub(super) async fn refresh<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    claim: Claim,
    previous: Option<String>,
) -> Answers {
    let previous = said_connection_id(previous)?;
    let mut connection = sender_record(&ports.store, id).await?;
    if connection.session_id != claim.session_id {
        return Err(errors::other_session());
    }
    if connection.role != claim.role {
        return Err(errors::other_role());
    }
    if let (Role::Listener, Some(language)) = (claim.role, &claim.target_language) {
        connection = hearing(ports, connection, language).await?;
    }
    if let Some(previous) = previous {
        take_over(ports, &connection, &previous).await?;
    }
    Ok(vec![ServerMessage::ConnectionRefreshComplete {
        session_id: connection.session_id,
        role: connection.role,
        target_language: connection.target_language,
        timestamp: ports.clock.now(),
    }])
}

/// Removes the record of the connection before, if it is the same person's in the same place. One that is gone already
/// is as good; one that is somebody else's stays, without a word about it.
async fn take_over<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    connection: &Connection,
    previous: &ConnectionId,
) -> Stored<()> {
    if *previous == connection.connection_id {
        return Ok(());
    }
    let same = |other: &Connection| {
        other.session_id == connection.session_id
            && other.role == connection.role
            && other.user_id == connection.user_id
    };
    if ports
        .store
        .connection(previous)
        .await?
        .as_ref()
        .is_some_and(same)
    {
        ports.store.remove(previous, ports.clock.now()).await?;
    }
    Ok(())
}
