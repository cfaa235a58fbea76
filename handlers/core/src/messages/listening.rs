//! Messages that join a session, change the language or replace a connection.

use stackgen_websocket::Clock;

use super::{Answers, Sender, errors, sender_record};
use crate::join::{JoinRequest, JoinSettings, join};
use crate::ports::{Ports, Store, StoreResult};
use crate::protocol::{ServerError, ServerMessage};
use crate::values::parse_connection_id;
use crate::{Connection, ConnectionId, Language, Role, Session, SessionId};

/// Joins a session. The connection has usually been in it since `$connect`; then this only changes the language. A
/// connection without a record joins anew.
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
            let connection = set_language(ports, connection, &target_language).await?;
            let session = store.session(&session_id).await?;
            (connection, session.ok_or_else(errors::not_in_session)?)
        }
        None => join_anew(ports, settings, sender, session_id, target_language.clone()).await?,
    };
    Ok(vec![ServerMessage::SessionJoined {
        session_id: connection.session_id,
        target_language,
        source_language: session.source_language,
        connection_id: connection.connection_id,
        timestamp: ports.clock.now(),
    }])
}

async fn join_anew<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    sender: &Sender,
    session_id: SessionId,
    target_language: Language,
) -> Result<(Connection, Session), ServerError> {
    let request = JoinRequest {
        connection_id: sender.connection_id.clone(),
        connected_at: sender.connected_at,
        ip_address: sender.ip_address.clone(),
        user_id: sender.user_id.clone(),
        grant: sender.grant.clone(),
        session_id,
        target_language: Some(target_language),
        previous: None,
    };
    let joined = join(ports, settings, request).await?;
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

/// Sets the listener's language, unless it is set already.
async fn set_language<S: Store, B, C: Clock>(
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

/// Changes the language. The record and its connection time stay.
pub(super) async fn change_language<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    language: &Language,
) -> Answers {
    let connection = sender_record(&ports.store, id).await?;
    if connection.role == Role::Speaker {
        return Err(errors::other_role());
    }
    set_language(ports, connection, language).await?;
    Ok(vec![ServerMessage::LanguageChanged {
        target_language: language.clone(),
        timestamp: ports.clock.now(),
    }])
}

/// Session, role and language that the client expects its connection to have.
pub(super) struct ExpectedConnection {
    pub(super) session_id: SessionId,
    pub(super) role: Role,
    pub(super) target_language: Option<Language>,
}

/// Completes the replacement of a connection. The new connection has had its role since `$connect`, and the previous
/// one keeps its record until now: both are served in between, so that nothing is missed. Now the previous record is
/// removed, and the listener counts once again.
pub(super) async fn refresh<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    expected: ExpectedConnection,
    previous: Option<String>,
) -> Answers {
    let previous = parse_connection_id(previous)?;
    let mut connection = sender_record(&ports.store, id).await?;
    if connection.session_id != expected.session_id {
        return Err(errors::other_session());
    }
    if connection.role != expected.role {
        return Err(errors::other_role());
    }
    if let (Role::Listener, Some(language)) = (expected.role, &expected.target_language) {
        connection = set_language(ports, connection, language).await?;
    }
    if let Some(previous) = previous {
        remove_previous(ports, &connection, &previous).await?;
    }
    Ok(vec![ServerMessage::ConnectionRefreshComplete {
        session_id: connection.session_id,
        role: connection.role,
        target_language: connection.target_language,
        timestamp: ports.clock.now(),
    }])
}

/// Removes the record of the previous connection, if it has the same session, role and user. Ignores a connection
/// without a record or of another user, and does not reveal which it was.
async fn remove_previous<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    connection: &Connection,
    previous: &ConnectionId,
) -> StoreResult<()> {
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
