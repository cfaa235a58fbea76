//! Connection handler: `$connect`, and all messages except audio.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use live_session_core::ports::{Ports, Store};
use live_session_core::protocol::ServerMessage;
use live_session_core::{
    Clock, ConnectionId, JoinSettings, MessageDecision, MessageLimiter, RateLimitError, connect,
    handle_message,
};
use stackgen_websocket::{Broadcaster, FanOutOptions, fan_out};
use tracing::{error, info, warn};

use crate::events::{EventError, FunctionResponse, handshake, sender};
use crate::metrics;

/// Handles one event. Fails only if the event belongs to another function.
pub async fn handle<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    messages: &MessageLimiter,
    settings: JoinSettings,
    event: &ApiGatewayWebsocketProxyRequest,
) -> Result<FunctionResponse, EventError> {
    match event.request_context.event_type.as_deref() {
        Some("CONNECT") => on_connect(ports, settings, event).await,
        Some("MESSAGE") => on_message(ports, messages, settings, event).await,
        other => Err(EventError::Unexpected(other.unwrap_or_default().to_owned())),
    }
}

async fn on_connect<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    event: &ApiGatewayWebsocketProxyRequest,
) -> Result<FunctionResponse, EventError> {
    match connect(ports, settings, handshake(event)?).await {
        Ok(_) => {
            metrics::connected();
            Ok(FunctionResponse::connected(event))
        }
        Err(refusal) => {
            let (status, reason) = (refusal.status(), refusal.reason());
            metrics::refused(reason);
            match status {
                500 => error!(status, reason, error = %refusal, "Connection failed"),
                _ => info!(status, reason, "Connection refused"),
            }
            Ok(FunctionResponse::status(status))
        }
    }
}

async fn on_message<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    messages: &MessageLimiter,
    settings: JoinSettings,
    event: &ApiGatewayWebsocketProxyRequest,
) -> Result<FunctionResponse, EventError> {
    let sender = sender(&event.request_context)?;
    if !admits(ports, messages, &sender.connection_id).await {
        return Ok(FunctionResponse::status(200));
    }
    let body = event.body.as_deref().unwrap_or_default();
    for message in handle_message(ports, settings, &sender, body).await {
        post(ports, &sender.connection_id, &message).await;
    }
    Ok(FunctionResponse::status(200))
}

/// Returns true if a connection may send another message. Otherwise refuses it, or closes the connection.
pub(crate) async fn admits<S, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    messages: &MessageLimiter,
    id: &ConnectionId,
) -> bool {
    let now = ports.clock.now();
    match messages.decide(id, now) {
        MessageDecision::Handle => return true,
        MessageDecision::Refuse { retry_after } => {
            metrics::message_refused("tooOften");
            info!("Message refused: too many messages");
            let error = RateLimitError::Exceeded { retry_after }.into();
            let timestamp = now;
            post(ports, id, &ServerMessage::Error { error, timestamp }).await;
        }
        MessageDecision::Drop => metrics::message_refused("tooOften"),
        MessageDecision::Close => {
            metrics::message_refused("closed");
            match ports.broadcaster.close(id).await {
                Ok(()) => warn!("Connection closed: it ignores the limit on messages"),
                Err(error) => warn!(%error, "Cannot close a connection that ignores the limit"),
            }
        }
    }
    false
}

/// Posts an answer, with the retries of a broadcast. A failure is only logged: the client may have disconnected.
pub(crate) async fn post<S, B: Broadcaster, C>(
    ports: &Ports<S, B, C>,
    to: &ConnectionId,
    message: &ServerMessage,
) {
    let audience = std::slice::from_ref(to);
    let report = fan_out(
        &ports.broadcaster,
        audience,
        message.to_bytes(),
        &FanOutOptions::default(),
    )
    .await;
    if report.sent == 0 {
        let error = report.failed.first().map(|(_, error)| error.to_string());
        warn!(error, "Cannot deliver an answer");
    }
}
