//! Listeners of a session: broadcasts to them, and removal of closed connections.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use stackgen_websocket::{Broadcaster, Clock, FanOutOptions, FanOutReport, fan_out};
use tracing::{info, warn};

use crate::limits::{
    BROADCAST_DEADLINE, CONTROL_ATTEMPTS, CONTROL_POST_INTERVAL, MAX_CONNECTION, MAX_HANDSHAKE,
};
use crate::ports::{ConnectionStore, Ports, Store, StoreResult};
use crate::{Connection, ConnectionId, Language, Recipient, SessionId, Timestamp};

/// Age from which a connection counts as closed. It exceeds API Gateway's limit by five minutes, because clocks differ.
const CLOSED_AFTER: Duration = MAX_CONNECTION.saturating_add(Duration::from_secs(300));

impl From<&Connection> for Recipient {
    fn from(connection: &Connection) -> Self {
        Recipient {
            connection_id: connection.connection_id.clone(),
            connected_at: connection.connected_at,
        }
    }
}

/// Returns all listeners of a session, of one language or of all.
pub(crate) async fn listeners(
    store: &impl ConnectionStore,
    session: &SessionId,
    language: Option<&Language>,
) -> StoreResult<Vec<Recipient>> {
    let mut all = Vec::new();
    let mut from = None;
    loop {
        let page = store.listeners(session, language, from).await?;
        all.extend(page.listeners);
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(all),
        }
    }
}

/// Returns the listeners whose connections must be closed by now, even if API Gateway sent no `$disconnect`.
pub(crate) async fn expired_listeners(
    store: &impl ConnectionStore,
    session: &SessionId,
    now: Timestamp,
) -> StoreResult<Vec<ConnectionId>> {
    let all = listeners(store, session, None).await?;
    let closed = all
        .into_iter()
        .filter(|listener| now.since(listener.connected_at) > CLOSED_AFTER);
    Ok(closed.map(|listener| listener.connection_id).collect())
}

/// Posts a control message to all listeners of a session, and removes the records of connections that are gone. If the
/// table fails, the records stay; the next message removes them.
pub(crate) async fn broadcast_to_listeners<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    session: &SessionId,
    message: Bytes,
) -> StoreResult<FanOutReport> {
    let audience = listeners(&ports.store, session, None).await?;
    let options = FanOutOptions {
        deadline: BROADCAST_DEADLINE,
        attempts: CONTROL_ATTEMPTS,
        interval: CONTROL_POST_INTERVAL,
        ..FanOutOptions::default()
    };
    let report = post_to(&ports.broadcaster, &audience, message, &options).await;
    let gone = closed_connections(&audience, &report.gone, ports.clock.now());
    remove_closed(ports, session, &gone).await;
    Ok(report)
}

/// Posts a message to an audience.
pub(crate) async fn post_to<B: Broadcaster>(
    broadcaster: &B,
    audience: &[Recipient],
    message: Bytes,
    options: &FanOutOptions,
) -> FanOutReport {
    let ids: Vec<_> = audience.iter().map(|to| to.connection_id.clone()).collect();
    fan_out(broadcaster, &ids, message, options).await
}

/// Removes the records of closed connections. If the table fails, they stay. Returns true if the table did not fail.
pub(crate) async fn remove_closed<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    session: &SessionId,
    closed: &[ConnectionId],
) -> bool {
    if closed.is_empty() {
        return true;
    }
    let now = ports.clock.now();
    match ports.store.remove_listeners(session, closed, now).await {
        Ok(removed) => {
            info!(sessionId = %session, removed, "Removed the records of closed connections");
            true
        }
        Err(error) => {
            warn!(sessionId = %session, %error, "Cannot remove the records of closed connections");
            false
        }
    }
}

/// Returns the gone connections that are closed. Those whose handshake may still be in progress answer the same (row
/// C11).
pub(crate) fn closed_connections(
    audience: &[Recipient],
    gone: &[ConnectionId],
    now: Timestamp,
) -> Vec<ConnectionId> {
    let connected: HashMap<_, _> = audience
        .iter()
        .map(|to| (&to.connection_id, to.connected_at))
        .collect();
    let opened = |id: &&ConnectionId| {
        connected
            .get(id)
            .is_some_and(|connected_at| now.since(*connected_at) > MAX_HANDSHAKE)
    };
    gone.iter().filter(opened).cloned().collect()
}
