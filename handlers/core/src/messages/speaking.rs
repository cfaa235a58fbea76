//! Messages that only the speaker may send.

use stackgen_websocket::{Broadcaster, Clock};

use super::{Answers, errors, speaker_record};
use crate::audience::broadcast_to_listeners;
use crate::end::{EndError, EndRequest, end};
use crate::ports::{BroadcastChange, Ports, Store};
use crate::protocol::{ErrorCode, ServerError, ServerMessage, SpeakerState};
use crate::{BroadcastState, ConnectionId, SessionId, Timestamp, Volume};

pub(super) async fn pause<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    is_paused: bool,
) -> Answers {
    let change = BroadcastChange {
        is_paused: Some(is_paused),
        ..BroadcastChange::default()
    };
    change_broadcast(ports, id, change, |_, timestamp| match is_paused {
        true => ServerMessage::BroadcastPaused { timestamp },
        false => ServerMessage::BroadcastResumed { timestamp },
    })
    .await
}

pub(super) async fn mute<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    is_muted: bool,
) -> Answers {
    let change = BroadcastChange {
        is_muted: Some(is_muted),
        ..BroadcastChange::default()
    };
    change_broadcast(ports, id, change, |_, timestamp| match is_muted {
        true => ServerMessage::BroadcastMuted { timestamp },
        false => ServerMessage::BroadcastUnmuted { timestamp },
    })
    .await
}

pub(super) async fn set_volume<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    volume_level: Volume,
) -> Answers {
    let change = BroadcastChange {
        volume: Some(volume_level),
        ..BroadcastChange::default()
    };
    let to_message = |_, timestamp| ServerMessage::VolumeChanged {
        volume_level,
        timestamp,
    };
    change_broadcast(ports, id, change, to_message).await
}

pub(super) async fn set_state<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    state: SpeakerState,
) -> Answers {
    let change = BroadcastChange {
        is_paused: Some(state.is_paused),
        is_muted: Some(state.is_muted),
        volume: Some(state.volume),
    };
    let to_message = |broadcast_state, _| ServerMessage::SpeakerStateChanged { broadcast_state };
    change_broadcast(ports, id, change, to_message).await
}

/// Writes the change, and posts it to the listeners and the speaker.
async fn change_broadcast<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    change: BroadcastChange,
    to_message: impl FnOnce(BroadcastState, Timestamp) -> ServerMessage,
) -> Answers {
    let session_id = speaker_record(&ports.store, id).await?.session_id;
    let now = ports.clock.now();
    let changed = ports
        .store
        .set_broadcast_state(&session_id, change, now)
        .await?;
    let message = to_message(changed?, now);
    broadcast_to_listeners(ports, &session_id, message.to_bytes()).await?;
    Ok(vec![message])
}

pub(super) async fn end_session<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
    session_id: &SessionId,
    reason: Option<String>,
) -> Answers {
    let connection = speaker_record(&ports.store, id).await?;
    if connection.session_id != *session_id {
        return Err(errors::other_session());
    }
    // Every speaker's record has a user ID: `join` compares it with the session's owner.
    let owner = connection.user_id.ok_or_else(errors::other_role)?;
    let request = EndRequest {
        session_id,
        owner: &owner,
        reason,
        requested_by: Some(id),
    };
    match end(ports, request).await {
        Ok(message) => Ok(vec![message]),
        Err(EndError::Refused(refusal)) => Err(refusal.into()),
        Err(EndError::Store(error)) => Err(error.into()),
        Err(EndError::Unfinished) => {
            let message = "the session still has listeners: send endSession again";
            Err(ServerError::new(ErrorCode::Unavailable, message))
        }
    }
}
