//! Status of a session.

use stackgen_websocket::Clock;

use super::{Answers, errors, sender_record};
use crate::limits::SPEAKER_TIMEOUT;
use crate::ports::{Ports, Store, StoreResult};
use crate::protocol::ServerMessage;
use crate::{ConnectionId, Session, Timestamp};

/// Returns the status, to any connection in the session. It reads counters, and no listener's record.
pub(super) async fn session_status<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
) -> Answers {
    let session_id = sender_record(&ports.store, id).await?.session_id;
    let session = ports.store.session(&session_id).await?;
    let session = session.ok_or_else(errors::not_in_session)?;
    let counts = ports.store.listener_counts(&session_id).await?;
    let now = ports.clock.now();
    let mut broadcast_state = session.broadcast_state;
    broadcast_state.is_active &= is_speaker_connected(&ports.store, &session, now).await?;
    Ok(vec![ServerMessage::SessionStatus {
        session_id,
        listener_count: counts.total,
        language_distribution: counts.by_language,
        session_duration: now.since(session.created_at).as_secs(),
        broadcast_state,
        timestamp: now,
    }])
}

/// Returns true if the speaker's connection has a record and sends heartbeats. Its `$disconnect` may never have come
/// (row M18), so that the session still names it.
async fn is_speaker_connected(
    store: &impl Store,
    session: &Session,
    now: Timestamp,
) -> StoreResult<bool> {
    let Some(id) = &session.speaker_connection_id else {
        return Ok(false);
    };
    let speaker = store.connection(id).await?;
    Ok(speaker.is_some_and(|speaker| now.since(speaker.last_seen_at) <= SPEAKER_TIMEOUT))
}
