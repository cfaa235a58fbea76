//! Upgrade requests, by which clients ask for a WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::{ClientStream, RequestHead};

/// Handler of upgrade requests.
pub trait UpgradeHandler: Send + Sync + 'static {
    /// Handles an upgrade request, and serves the connection until it ends. Each accepted connection leads to exactly
    /// one `$disconnect`.
    fn serve(self: Arc<Self>, upgrade: Box<Upgrade>) -> BoxFuture<'static, ()>;

    /// Closes all open connections because the gateway stops.
    fn stop(&self);
}

/// An upgrade request with its socket.
pub struct Upgrade {
    /// Head of the request.
    pub head: RequestHead,
    /// Socket, read up to the end of `rest`.
    pub stream: ClientStream,
    /// Bytes after the head.
    pub rest: Vec<u8>,
    /// Client's address.
    pub peer: SocketAddr,
    /// Cancelled when the server stops.
    pub shutdown: CancellationToken,
}
