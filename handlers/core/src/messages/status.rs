//! How a session is doing.

use std::collections::BTreeMap;

use stackgen_websocket::Clock;

use super::{Answers, errors, sender_record};
use crate::audience::listeners;
use crate::limits::SILENT_AFTER;
use crate::ports::{Ports, Store, Stored};
use crate::protocol::ServerMessage;
use crate::{ConnectionId, Session, Timestamp};

/// Anybody in the session may ask. The count is exact; who hears which language may lag behind a little.
pub(super) async fn session_status<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
) -> Answers {
    let session_id = sender_record(&ports.store, id).await?.session_id;
    let session = ports.store.session(&session_id).await?;
    let session = session.ok_or_else(errors::not_in_session)?;
    let mut language_distribution = BTreeMap::new();
    for listener in listeners(&ports.store, &session_id, None).await? {
        if let Some(language) = listener.target_language {
            *language_distribution.entry(language).or_default() += 1;
        }
    }
    let now = ports.clock.now();
    let mut broadcast_state = session.broadcast_state;
    broadcast_state.is_active &= speaker_is_there(&ports.store, &session, now).await?;
    Ok(vec![ServerMessage::SessionStatus {
        session_id,
        listener_count: session.listener_count,
        language_distribution,
        session_duration: now.since(session.created_at).as_secs(),
        broadcast_state,
        timestamp: now,
    }])
}

/// Whether the speaker's connection has a record, and has sent heartbeats: its `$disconnect` may never have come (row
/// M18), and then the session does not know that it is gone.
async fn speaker_is_there(store: &impl Store, session: &Session, now: Timestamp) -> Stored<bool> {
    let Some(id) = &session.speaker_connection_id else {
        return Ok(false);
    };
    let speaker = store.connection(id).await?;
    Ok(speaker.is_some_and(|speaker| now.since(speaker.last_seen_at) <= SILENT_AFTER))
}
