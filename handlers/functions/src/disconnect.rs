//! Disconnect handler: `$disconnect`.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use live_session_core::ports::{Ports, Store};
use live_session_core::{Clock, disconnect};
use stackgen_websocket::Broadcaster;
use tracing::{error, info};

use crate::events::{EventError, FunctionResponse, connection_id};
use crate::metrics;

/// Handles one event. Always answers 200, because the connection is closed and API Gateway does not retry. If the table
/// fails, the record stays until a message to its connection fails.
pub async fn handle<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    event: &ApiGatewayWebsocketProxyRequest,
) -> Result<FunctionResponse, EventError> {
    let context = &event.request_context;
    let id = connection_id(context)?;
    info!(
        code = context.disconnect_status_code,
        reason = context.disconnect_reason.as_deref(),
        "Connection closed"
    );
    match disconnect(ports, &id).await {
        Ok(Some(_)) => metrics::disconnected(),
        // An earlier event removed it, or a message to the connection failed.
        Ok(None) => {}
        Err(error) => error!(%error, "Cannot remove the connection's record"),
    }
    Ok(FunctionResponse::status(200))
}
