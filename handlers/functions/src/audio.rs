//! Audio handler: `sendAudio`, shares of its audience, and removal of listeners that are gone.

use std::time::Instant;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use live_session_core::ports::{Ports, Relay, Store};
use live_session_core::protocol::ServerMessage;
use live_session_core::{AudioMessage, AudioSender, Clock, GoneListeners, Share};
use serde::{Deserialize, Serialize};
use stackgen_websocket::{Broadcaster, logs};
use tracing::{Span, info, warn};

use crate::connection::{admits, post};
use crate::events::{EventError, FunctionResponse, connection_id};
use crate::metrics;

/// Event of this function: from API Gateway, or from another invocation of itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum AudioEvent {
    /// A share of an audience, from another invocation.
    Share(ShareEvent),
    /// Connections to remove, from another invocation.
    Removal(RemovalEvent),
    /// A message from a client.
    Message(Box<ApiGatewayWebsocketProxyRequest>),
}

/// A share, as other invocations hand it over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareEvent {
    /// The share.
    pub share: Share,
}

/// Connections to remove, as other invocations hand them over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RemovalEvent {
    /// The connections.
    pub gone: GoneListeners,
}

impl AudioEvent {
    /// Returns the span for the log lines of this event. A share's lines have the ID of the request that brought the
    /// chunk, and the number of the chunk.
    pub fn span(&self) -> Span {
        match self {
            AudioEvent::Share(ShareEvent { share }) => tracing::error_span!(
                "share",
                requestId = share.request_id,
                sessionId = %share.session_id,
                chunkIndex = share.chunk_index,
            ),
            AudioEvent::Removal(RemovalEvent { gone }) => {
                tracing::error_span!("removal", sessionId = %gone.session_id)
            }
            AudioEvent::Message(event) => logs::request_span(&event.request_context),
        }
    }
}

/// Handles one event.
pub async fn handle<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    audio: &AudioSender<impl Relay>,
    event: AudioEvent,
) -> Result<FunctionResponse, EventError> {
    match event {
        AudioEvent::Share(ShareEvent { share }) => {
            let since = Instant::now();
            match audio.send_share(ports, share).await {
                Some(report) => {
                    metrics::fan_out_finished(&report, since);
                    info!(
                        sent = report.sent,
                        gone = report.gone.len(),
                        failed = report.failed.len(),
                        "Share sent"
                    );
                }
                None => metrics::share_late(),
            }
        }
        AudioEvent::Removal(RemovalEvent { gone }) => audio.remove(ports, gone).await,
        AudioEvent::Message(event) => on_message(ports, audio, &event).await?,
    }
    Ok(FunctionResponse::status(200))
}

async fn on_message<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    audio: &AudioSender<impl Relay>,
    event: &ApiGatewayWebsocketProxyRequest,
) -> Result<(), EventError> {
    let since = Instant::now();
    let id = connection_id(&event.request_context)?;
    if !admits(ports, audio.messages(), &id).await {
        return Ok(());
    }
    let message = AudioMessage {
        sender: &id,
        request_id: event.request_context.request_id.as_deref(),
        body: event.body.as_deref().unwrap_or_default(),
    };
    match audio.send(ports, message).await {
        Ok(sent) => {
            metrics::fan_out_finished(&sent.report, since);
            info!(
                sent = sent.report.sent,
                gone = sent.report.gone.len(),
                failed = sent.report.failed.len(),
                shares = sent.shares,
                "Audio sent"
            );
        }
        Err(error) => {
            warn!(code = ?error.code, "Audio refused");
            let timestamp = ports.clock.now();
            post(ports, &id, &ServerMessage::Error { error, timestamp }).await;
        }
    }
    Ok(())
}
