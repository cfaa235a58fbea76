//! A session ends.

use std::collections::HashSet;
use std::time::Duration;

use stackgen_websocket::{Broadcaster, Clock, FanOut, fan_out};
use thiserror::Error;
use tracing::{info, warn};

use crate::limits::TELL_WITHIN;
use crate::ports::{Ports, Refusal, Store, StoreError, Stored};
use crate::protocol::ServerMessage;
use crate::{ConnectionId, SessionId, Status, UserId};

/// How often the last listeners are looked for: the index that lists them lags behind, mostly by milliseconds.
const ROUNDS: u32 = 6;

/// Who ends what, and why.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    /// The session.
    pub session_id: &'a SessionId,
    /// Whoever wants to end it.
    pub owner: &'a UserId,
    /// Told to everybody.
    pub reason: Option<String>,
    /// The connection on which it was said, if on one: it has its answer, and is not told a second time.
    pub said_by: Option<&'a ConnectionId>,
}

/// Why a session did not end.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum EndError {
    /// Not there, or somebody else's.
    #[error("the session does not end: {0:?}")]
    Refused(Refusal),
    /// A table did not do as asked. Ending it again goes on from there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It lets nobody in any more, but not everybody is out yet. Ending it again goes on from there.
    #[error("not all listeners are out of the session yet")]
    Unfinished,
}

/// Ends a session in two steps, so that an ended session never has listeners: first it lets nobody in any more, then
/// everybody is let out and told, and only without listeners does it end. Whatever breaks off in between can be taken up
/// again by ending it again; ending what has ended changes nothing. Returns what everybody was told.
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
        // Past its end a session's count may be of records that the table has forgotten since: it never gets to zero.
        let finished = store.finish_end(id, ports.clock.now()).await?;
        if finished || session.ends_at() <= now {
            info!(sessionId = %id, listeners = told.len(), "Session ended");
            return Ok(message);
        }
    }
    warn!(sessionId = %id, "Session not ended yet: it still has listeners");
    Err(EndError::Unfinished)
}

/// Takes the records of the listeners that are listed away, page by page, and tells them, each once.
///
/// In this order, since clients who hear of the end close, all of them at once: their `$disconnect` events then find
/// nothing to take away, and do not get into the way of these transactions. Whoever is not told because it breaks off
/// in between learns by the next heartbeat.
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

/// Tells them. Who does not hear it finds out by the next message.
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
