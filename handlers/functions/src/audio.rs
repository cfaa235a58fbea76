//! Audio handler: `sendAudio`, and shares of its audience.

use std::time::Instant;

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use live_session_core::ports::{Ports, Relay, Store};
use live_session_core::protocol::ServerMessage;
use live_session_core::{AudioSettings, Clock, ConnectionId, Share, send_audio, send_share};
use serde::{Deserialize, Serialize};
use stackgen_websocket::{Broadcaster, logs};
use tracing::{Span, info, warn};

use crate::connection::post;
use crate::events::{EventError, FunctionResponse, connection_id};
use crate::metrics;

/// Event of this function: from API Gateway, or from another invocation of itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum AudioEvent {
    /// A share of an audience, from another invocation.
    Share(ShareEvent),
    /// A message from a client.
    Message(Box<ApiGatewayWebsocketProxyRequest>),
}

/// A share, as other invocations hand it over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareEvent {
    /// The share.
    pub share: Share,
}

impl AudioEvent {
    /// Returns the span for the log lines of this event.
    pub fn span(&self) -> Span {
        match self {
            AudioEvent::Share(ShareEvent { share }) => {
                tracing::error_span!("share", sessionId = %share.session_id)
            }
            AudioEvent::Message(event) => logs::request_span(&event.request_context),
        }
    }
}

/// Handles one event.
pub async fn handle<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    relay: &impl Relay,
    settings: AudioSettings,
    event: AudioEvent,
) -> Result<FunctionResponse, EventError> {
    match event {
        AudioEvent::Share(ShareEvent { share }) => {
            let since = Instant::now();
            if let Some(report) = send_share(ports, share).await {
                metrics::fan_out_finished(&report, since);
            }
        }
        AudioEvent::Message(event) => {
            let id = connection_id(&event.request_context)?;
            let body = event.body.as_deref().unwrap_or_default();
            on_message(ports, relay, settings, &id, body).await;
        }
    }
    Ok(FunctionResponse::status(200))
}

async fn on_message<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    relay: &impl Relay,
    settings: AudioSettings,
    id: &ConnectionId,
    body: &str,
) {
    let since = Instant::now();
    match send_audio(ports, relay, settings, id, body).await {
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
            post(ports, id, &ServerMessage::Error { error, timestamp }).await;
        }
    }
}
