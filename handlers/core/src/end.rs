//! Ends sessions.

use std::collections::HashSet;
use std::time::Duration;

use stackgen_websocket::{Broadcaster, Clock, FanOutOptions, fan_out};
use thiserror::Error;
use tracing::{info, warn};

use crate::limits::{BROADCAST_DEADLINE, CONTROL_ATTEMPTS, CONTROL_POST_INTERVAL};
use crate::ports::{Ports, SessionRefusal, Store, StoreError, StoreResult};
use crate::protocol::ServerMessage;
use crate::{ConnectionId, SessionId, SessionStatus, UserId};

/// Number of passes over the listeners. The index that lists them is eventually consistent, mostly within milliseconds.
const PASSES: u32 = 6;

/// Request to end a session.
#[derive(Clone, Debug)]
pub struct EndRequest<'a> {
    /// The session.
    pub session_id: &'a SessionId,
    /// The user who requests it. Only the owner may.
    pub owner: &'a UserId,
    /// Reason that clients receive.
    pub reason: Option<String>,
    /// The connection that requests it, if one does. It gets the message as the answer and no second time.
    pub requested_by: Option<&'a ConnectionId>,
}

/// Reason why a session did not end.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum EndError {
    /// The session does not exist, or another user owns it.
    #[error("cannot end the session: {0:?}")]
    Refused(SessionRefusal),
    /// The table failed. Another request continues.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session admits nobody any more, but still has listeners. Another request continues.
    #[error("the session still has listeners: end it again")]
    Unfinished,
}

/// Ends a session in two steps, so that an ended session never has listeners. First the session stops admitting
/// connections. Then the listeners' records are removed and the listeners notified; the status becomes `Ended` only
/// when the count is zero. After an interruption another call continues; for an ended session it changes nothing.
/// Returns the message that clients receive.
pub async fn end<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    request: EndRequest<'_>,
) -> Result<ServerMessage, EndError> {
    let (store, id, now) = (&ports.store, request.session_id, ports.clock.now());
    let session = store.begin_end(id, request.owner, now).await?;
    let session = session.map_err(EndError::Refused)?;
    let message = ServerMessage::SessionEnded {
        session_id: id.clone(),
        reason: request.reason,
        timestamp: now,
    };
    if session.status == SessionStatus::Ended {
        return Ok(message);
    }
    if let Some(speaker) = &session.speaker_connection_id
        && request.requested_by != Some(speaker)
    {
        notify(ports, std::slice::from_ref(speaker), &message).await;
    }
    let mut notified = HashSet::new();
    for pass in 0..PASSES {
        if pass > 0 {
            tokio::time::sleep(Duration::from_millis(25 << pass)).await;
        }
        remove_and_notify_listeners(ports, id, &message, &mut notified).await?;
        // After the session's maximum duration, DynamoDB may have expired records that the count includes: it never
        // becomes zero.
        let finished = store.finish_end(id, ports.clock.now()).await?;
        if finished || session.ends_at() <= now {
            info!(sessionId = %id, listeners = notified.len(), "Session ended");
            return Ok(message);
        }
    }
    warn!(sessionId = %id, "Session not ended: it still has listeners");
    Err(EndError::Unfinished)
}

/// Removes the listed listeners' records page by page, and notifies each listener once.
///
/// Records are removed before the notification, because clients that receive it all close at once. Their `$disconnect`
/// events then find no record, and cause no conflicts with these transactions. Listeners that miss the notification get
/// `NOT_IN_SESSION` at their next heartbeat.
async fn remove_and_notify_listeners<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &SessionId,
    message: &ServerMessage,
    notified: &mut HashSet<ConnectionId>,
) -> StoreResult<()> {
    let mut from = None;
    loop {
        let page = ports.store.listeners(id, None, from).await?;
        let ids: Vec<_> = page
            .listeners
            .into_iter()
            .map(|listener| listener.connection_id)
            .collect();
        let now = ports.clock.now();
        ports.store.remove_listeners(id, &ids, now).await?;
        let new: Vec<_> = ids
            .into_iter()
            .filter(|id| notified.insert(id.clone()))
            .collect();
        notify(ports, &new, message).await;
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(()),
        }
    }
}

/// Posts the message. Clients that miss it get an error at their next message.
async fn notify<S, B: Broadcaster, C>(
    ports: &Ports<S, B, C>,
    to: &[ConnectionId],
    message: &ServerMessage,
) {
    let options = FanOutOptions {
        deadline: BROADCAST_DEADLINE,
        attempts: CONTROL_ATTEMPTS,
        interval: CONTROL_POST_INTERVAL,
        ..FanOutOptions::default()
    };
    fan_out(&ports.broadcaster, to, message.to_bytes(), &options).await;
}
