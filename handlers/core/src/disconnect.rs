//! `$disconnect`: a connection is closed, or was long ago.

use stackgen_websocket::Broadcaster;
use tracing::{info, warn};

use crate::audience::tell_listeners;
use crate::ports::{Ports, Removed, Store, Stored};
use crate::protocol::ServerMessage;
use crate::{Clock, ConnectionId, SessionId};

/// Takes the connection's record away, and its count with it. The speaker's leaving is told to the listeners, unless
/// the speaker has another connection by now. The event may come twice or never (row M18): `None` is as good an end.
pub async fn disconnect<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
) -> Stored<Option<Removed>> {
    let removed = ports.store.remove(id, ports.clock.now()).await?;
    if let Some(removed) = &removed {
        let session_id = &removed.connection.session_id;
        info!(sessionId = %session_id, role = removed.connection.role.name(), "Clean disconnect");
        if removed.was_speaking {
            tell_speaker_left(ports, session_id).await;
        }
    } else {
        info!("Disconnect without a record: it was removed before");
    }
    Ok(removed)
}

/// The record is gone already; that listeners do not hear of it is no reason to fail.
async fn tell_speaker_left<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    session_id: &SessionId,
) {
    let told: Stored<()> = async {
        let Some(session) = ports.store.session(session_id).await? else {
            return Ok(());
        };
        if session.status_at(ports.clock.now()).is_over() {
            return Ok(());
        }
        let message = ServerMessage::SpeakerStateChanged {
            broadcast_state: session.broadcast_state,
        };
        tell_listeners(ports, session_id, message.to_bytes())
            .await
            .map(drop)
    }
    .await;
    if let Err(error) = told {
        warn!(sessionId = %session_id, %error, "Listeners not told that the speaker left");
    }
}
