//! What clients of WebSocket APIs send and receive, for a recorder.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{ApiId, ConnectionId, StageName};

/// Handshakes and frames of all clients. Until somebody follows them, they cost nothing.
#[derive(Clone, Default)]
pub struct Traffic(Arc<OnceLock<UnboundedSender<ClientEvent>>>);

/// Event of a client. It contains tokens of callers.
#[derive(Clone)]
pub struct ClientEvent {
    /// Time of the event.
    pub at: Instant,
    /// Connection.
    pub connection: ConnectionId,
    /// The event.
    pub kind: ClientEventKind,
}

/// Kind of an event of a client.
#[derive(Clone)]
pub enum ClientEventKind {
    /// A handshake was answered.
    Handshake(Box<ClientHandshake>),
    /// The client sent a text message.
    Sent(Bytes),
    /// The client sent a binary message, for which the connection closes (row M10).
    SentBinary(usize),
    /// The client was sent a text message.
    Received(Bytes),
    /// The connection ended.
    Closed {
        /// True if the client closed, or its TCP connection was lost.
        by_client: bool,
        /// Close code.
        code: u16,
        /// Close reason.
        reason: String,
    },
}

/// Handshake as the client sent it, and the answer.
#[derive(Clone)]
pub struct ClientHandshake {
    /// API.
    pub api: ApiId,
    /// Stage, as the path names it.
    pub stage: StageName,
    /// Decoded query parameters.
    pub query: Vec<(String, String)>,
    /// Headers in the order of the request.
    pub headers: Vec<(String, String)>,
    /// Status of the answer.
    pub status: u16,
    /// Subprotocol that was chosen.
    pub subprotocol: Option<String>,
}

impl Traffic {
    /// Returns a receiver of all events from now on; `None` if there is one already.
    pub fn follow(&self) -> Option<UnboundedReceiver<ClientEvent>> {
        let (sender, receiver) = unbounded_channel();
        self.0.set(sender).ok().map(|()| receiver)
    }

    /// Returns true if somebody follows the events.
    pub fn is_followed(&self) -> bool {
        self.0.get().is_some()
    }

    /// Sends an event to the follower, if there is one.
    pub fn send(&self, connection: &ConnectionId, kind: impl FnOnce() -> ClientEventKind) {
        let Some(sender) = self.0.get() else { return };
        // A follower that is gone needs no events.
        let _ = sender.send(ClientEvent {
            at: Instant::now(),
            connection: connection.clone(),
            kind: kind(),
        });
    }
}

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Traffic").field(&self.is_followed()).finish()
    }
}
