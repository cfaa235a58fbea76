//! Heartbeats, and requests to reconnect.

use stackgen_websocket::Clock;

use super::{Answers, errors};
use crate::ConnectionId;
use crate::limits::{MAX_CONNECTION, REFRESH_AGE, WARNING_AGE};
use crate::ports::{Ports, Store};
use crate::protocol::ServerMessage;

/// Acknowledges a heartbeat. API Gateway closes connections after two hours (row M14). So from 100 minutes on the
/// client is asked, once, to open another connection, and from 105 minutes on every answer contains a warning.
pub(super) async fn heartbeat<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &ConnectionId,
) -> Answers {
    let now = ports.clock.now();
    let connection = ports.store.touch(id, now).await?;
    let connection = connection.ok_or_else(errors::not_in_session)?;
    let age = now.since(connection.connected_at);
    let mut answers = vec![ServerMessage::HeartbeatAck { timestamp: now }];
    let unrequested = connection.refresh_requested_at.is_none();
    if age >= REFRESH_AGE && unrequested && ports.store.request_refresh(id, now).await? {
        answers.push(ServerMessage::ConnectionRefreshRequired {
            session_id: connection.session_id,
            role: connection.role,
            target_language: connection.target_language,
            connection_id: connection.connection_id,
        });
    }
    if age >= WARNING_AGE {
        answers.push(ServerMessage::ConnectionWarning {
            remaining_minutes: MAX_CONNECTION.saturating_sub(age).as_secs() / 60,
        });
    }
    Ok(answers)
}
