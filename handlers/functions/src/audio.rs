//! The audio handler: `sendAudio`, and shares of its audience.

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequest;
use live_session_core::ports::{Ports, Relay, Store};
use live_session_core::protocol::ServerMessage;
use live_session_core::{AudioSettings, Clock, ConnectionId, Share, send_audio, send_share};
use serde::{Deserialize, Serialize};
use stackgen_websocket::Broadcaster;
use tracing::{info, warn};

use crate::connection::post;
use crate::events::{EventError, Reply, connection_id};
use crate::metrics;

/// What this function is called with: by API Gateway, or by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum AudioEvent {
    /// A share of an audience, from another invocation of this function.
    Share(ShareEvent),
    /// A message of a client.
    Message(Box<ApiGatewayWebsocketProxyRequest>),
}

/// A share, as it is handed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareEvent {
    /// What to send to whom.
    pub share: Share,
}

/// Answers one event.
pub async fn handle<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    relay: &impl Relay,
    settings: AudioSettings,
    event: AudioEvent,
) -> Result<Reply, EventError> {
    match event {
        AudioEvent::Share(ShareEvent { share }) => {
            if let Some(report) = send_share(ports, share).await {
                metrics::fanned_out(&report);
            }
        }
        AudioEvent::Message(event) => {
            let id = connection_id(&event.request_context)?;
            let body = event.body.as_deref().unwrap_or_default();
            on_message(ports, relay, settings, &id, body).await;
        }
    }
    Ok(Reply::status(200))
}

async fn on_message<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    relay: &impl Relay,
    settings: AudioSettings,
    id: &ConnectionId,
    body: &str,
) {
    match send_audio(ports, relay, settings, id, body).await {
        Ok(sent) => {
            metrics::fanned_out(&sent.report);
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
