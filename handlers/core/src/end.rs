//! Ends sessions.

use std::collections::HashSet;
use std::time::Duration;

use stackgen_websocket::{Broadcaster, Clock, FanOut, fan_out};
use thiserror::Error;
use tracing::{info, warn};

use crate::limits::TELL_WITHIN;
use crate::ports::{Ports, Refusal, Store, StoreError, Stored};
use crate::protocol::ServerMessage;
use crate::{ConnectionId, SessionId, Status, UserId};

/// Number of passes over the listeners. The index that lists them is eventually consistent, mostly within milliseconds.
const ROUNDS: u32 = 6;

/// Request to end a session.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    /// The session.
    pub session_id: &'a SessionId,
    /// The user who requests it. Only the owner may.
    pub owner: &'a UserId,
    /// Reason that clients receive.
    pub reason: Option<String>,
    /// The connection that requests it, if one does. It gets the message as the answer and no second time.
    pub said_by: Option<&'a ConnectionId>,
}

/// Reason why a session did not end.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum EndError {
    /// The session does not exist, or another user owns it.
    #[error("cannot end the session: {0:?}")]
    Refused(Refusal),
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
    ending: Ending<'_>,
) -> Result<ServerMessage, EndError> {
    let (store, id, now) = (&ports.store, ending.session_id, ports.clock.now());
    let begun = store.begin_end(id, ending.owner, now).await?;
    let session = begun.map_err(EndError::Refused)?;
    let message = ServerMessage::SessionEnded {
        session_id: id.clone(),
        reason: ending.reason,
        timestamp: now,
    };
    if session.status == Status::Ended {
        return Ok(message);
    }
    if let Some(speaker) = &session.speaker_connection_id
        && ending.said_by != Some(speaker)
    {
        post(ports, std::slice::from_ref(speaker), &message).await;
    }
    let mut told = HashSet::new();
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(Duration::from_millis(25 << round)).await;
        }
        let_out(ports, id, &message, &mut told).await?;
        // After the session's maximum duration, DynamoDB may have expired records that the count includes: it never
        // becomes zero.
        let finished = store.finish_end(id, ports.clock.now()).await?;
        if finished || session.ends_at() <= now {
            info!(sessionId = %id, listeners = told.len(), "Session ended");
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
async fn let_out<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &SessionId,
    message: &ServerMessage,
    told: &mut HashSet<ConnectionId>,
) -> Stored<()> {
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
            .filter(|id| told.insert(id.clone()))
            .collect();
        post(ports, &new, message).await;
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(()),
        }
    }
}

/// Posts the message. Clients that miss it get an error at their next message.
async fn post<S, B: Broadcaster, C>(
    ports: &Ports<S, B, C>,
    to: &[ConnectionId],
    message: &ServerMessage,
) {
    let how = FanOut {
        deadline: TELL_WITHIN,
        ..FanOut::default()
    };
    fan_out(&ports.broadcaster, to, message.to_bytes(), &how).await;
}
