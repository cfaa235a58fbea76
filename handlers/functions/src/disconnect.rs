//! The disconnect handler: `$disconnect`.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use live_session_core::ports::{Ports, Store};
use live_session_core::{Clock, disconnect};
use stackgen_websocket::Broadcaster;
use tracing::{error, info};

use crate::events::{EventError, Reply, connection_id};
use crate::metrics;

/// Answers one event, with 200 whatever happens: the connection is closed, and nobody would ask again. A record that a
/// failing table keeps goes when the next message to its connection comes back.
pub async fn handle<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    event: &ApiGatewayWebsocketProxyRequest,
) -> Result<Reply, EventError> {
    let context = &event.request_context;
    let id = connection_id(context)?;
    info!(
        code = context.disconnect_status_code,
        reason = context.disconnect_reason.as_deref(),
        "Connection closed"
    );
    match disconnect(ports, &id).await {
        Ok(Some(_)) => metrics::disconnected(),
        // It was removed before: by an earlier event, or because a message did not arrive.
        Ok(None) => {}
        Err(error) => error!(%error, "Record not removed"),
    }
    Ok(Reply::status(200))
}
