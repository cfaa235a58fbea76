//! How a session is doing.

use std::collections::BTreeMap;

use stackgen_websocket::Clock;

use super::{Answers, errors, sender_record};
use crate::ConnectionId;
use crate::audience::listeners;
use crate::ports::{Ports, Store};
use crate::protocol::ServerMessage;

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
    Ok(vec![ServerMessage::SessionStatus {
        session_id,
        listener_count: session.listener_count,
        language_distribution,
        session_duration: now.since(session.created_at).as_secs(),
        broadcast_state: session.broadcast_state,
        timestamp: now,
    }])
}
