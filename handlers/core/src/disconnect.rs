//! `$disconnect`: removes the record of a closed connection.

use stackgen_websocket::Broadcaster;
use tracing::{info, warn};

use crate::audience::broadcast_to_listeners;
use crate::ports::{Ports, RemovedConnection, Store, StoreResult};
use crate::protocol::ServerMessage;
use crate::{Clock, ConnectionId, SessionId};

/// Removes the connection's record and updates the session's count. If the session's current speaker left, its
/// listeners get `speakerStateChanged`. API Gateway may send the event twice or never (row M18), so a missing record is
/// no error.
pub async fn disconnect<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
) -> StoreResult<Option<RemovedConnection>> {
    let removed = ports.store.remove(id, ports.clock.now()).await?;
    if let Some(removed) = &removed {
        let session_id = &removed.connection.session_id;
        info!(sessionId = %session_id, role = removed.connection.role.name(), "Clean disconnect");
        if removed.was_speaking {
            broadcast_speaker_left(ports, session_id).await;
        }
    } else {
        info!("Disconnect without a record: it is removed already");
    }
    Ok(removed)
}

/// Posts the speaker's new state to the listeners. Failures are only logged, because the record is removed already.
async fn broadcast_speaker_left<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    session_id: &SessionId,
) {
    let result: StoreResult<()> = async {
        let Some(session) = ports.store.session(session_id).await? else {
            return Ok(());
        };
        if session.status_at(ports.clock.now()).is_over() {
            return Ok(());
        }
        let message = ServerMessage::SpeakerStateChanged {
            broadcast_state: session.broadcast_state,
        };
        broadcast_to_listeners(ports, session_id, message.to_bytes())
            .await
            .map(drop)
    }
    .await;
    if let Err(error) = result {
        warn!(sessionId = %session_id, %error, "Cannot notify listeners that the speaker left");
    }
}
