//! Connections whose first request asks for a WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::RequestHead;

/// Serves the connections of clients that ask for a WebSocket.
pub trait UpgradeHandler: Send + Sync + 'static {
    /// Answers a request to upgrade, and serves the connection to its end: whatever was accepted ends in exactly one
    /// `$disconnect`.
    fn serve(self: Arc<Self>, upgrade: Box<Upgrade>) -> BoxFuture<'static, ()>;

    /// Asks all open connections to end because the gateway stops.
    fn stop(&self);
}

/// A request to upgrade, and the socket that it came over.
pub struct Upgrade {
    /// Its head.
    pub head: RequestHead,
    /// The socket, read up to the end of the head and of `rest`.
    pub stream: TcpStream,
    /// What came after the head.
    pub rest: Vec<u8>,
    /// The client's address.
    pub peer: SocketAddr,
    /// Cancelled when the server stops.
    pub shutdown: CancellationToken,
}
