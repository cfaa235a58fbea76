//! Server of one port, with and without TLS: passes WebSocket handshakes to a WebSocket API and all other requests to axum.

mod head;
mod host;
mod http;
mod prefixed;
mod stream;
mod upgrade;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use head::close_gracefully;
pub use head::{HeadError, RequestHead};
pub(crate) use host::{FOREIGN_HOST, NamesDefaultEndpoint};
pub use host::{NamedAwsHost, is_loopback};
pub use stream::{AwsHosts, ClientStream, ServerTls};
pub use upgrade::{Upgrade, UpgradeHandler};

/// Address that a request was sent to, as an extension of the request. It becomes `domainName` in events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddress(pub SocketAddr);

/// Time that a client has to send the head of its request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Time that open connections have to close when the server stops, with their `$disconnect` functions.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes that the kernel may hold for a client that does not read, before the connection's own buffer fills (row K7).
const SEND_BUFFER: u32 = 128 * 1024;

/// Listens on loopback, at a port or at any free one.
///
/// # Errors
///
/// If the port is taken.
pub fn listen(port: Option<u16>) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(SocketAddr::from((
        Ipv4Addr::LOCALHOST,
        port.unwrap_or_default(),
    )))?;
    socket.listen(4096)
}

/// Routes of a server.
#[derive(Clone)]
pub struct ServerRoutes {
    /// Handler of upgrades to WebSocket.
    pub websocket: Option<Arc<dyn UpgradeHandler>>,
    /// Routes of other requests, and of all requests without `websocket`.
    pub http: Router,
}

/// Serves until `shutdown`. Then it accepts no new connections, closes the open ones and waits for them within a time
/// limit.
///
/// With `tls`, the port speaks both: a connection whose first byte starts a TLS handshake gets TLS. Requests whose `Host`
/// is not loopback are refused, except for the host name of `tls`, which is replaced by the server's address. Handlers of
/// `http` find the client's address as [`axum::extract::ConnectInfo`], the server's as [`LocalAddress`], and the
/// [scheme](http::uri::Scheme).
pub async fn serve(
    listener: TcpListener,
    shutdown: CancellationToken,
    tls: Option<ServerTls>,
    routes: ServerRoutes,
) {
    let ServerRoutes { websocket, http } = routes;
    let http = http.layer(middleware::from_fn_with_state(
        tls.clone(),
        host::only_loopback,
    ));
    let server = Arc::new(PortServer {
        tls,
        routes: ServerRoutes { websocket, http },
        shutdown: shutdown.clone(),
    });
    let tasks = TaskTracker::new();
    let abandon = CancellationToken::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // The process is out of file descriptors, or the client is gone. The next accept may succeed.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let served = server.clone().connection(stream, peer);
        tasks.spawn(abandon.clone().run_until_cancelled_owned(served));
    }
    drop(listener);
    if let Some(websocket) = &server.routes.websocket {
        websocket.stop();
    }
    tasks.close();
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, tasks.wait())
        .await
        .is_err()
    {
        abandon.cancel();
        tasks.wait().await;
    }
}

/// State that the connections of a server share.
struct PortServer {
    tls: Option<ServerTls>,
    routes: ServerRoutes,
    shutdown: CancellationToken,
}

impl PortServer {
    /// Serves one TCP connection. Each phase is boxed, so that an open WebSocket does not hold memory of the other phases.
    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let _ = stream.set_nodelay(true);
        let deadline = Instant::now() + HEAD_TIMEOUT;
        let Some(stream) = Box::pin(self.secure(stream, deadline)).await else {
            return;
        };
        let Some(websocket) = &self.routes.websocket else {
            return Box::pin(self.http_only(stream, peer, deadline)).await;
        };
        let first = Box::pin(self.first(stream, peer, deadline));
        if let Some(upgrade) = first.await {
            websocket.clone().serve(upgrade).await;
        }
    }

    /// Serves a connection of HTTP/1.1 or HTTP/2. Ports with WebSockets speak HTTP/1.1 only.
    async fn http_only(&self, mut stream: ClientStream, peer: SocketAddr, deadline: Instant) {
        let first = tokio::select! {
            () = self.shutdown.cancelled() => return,
            first = timeout_at(deadline, http::read_first(&mut stream)) => first,
        };
        let Ok(first) = first else {
            return head::refuse(stream, &HeadError::Slow).await;
        };
        self.serve_http(stream, first, peer).await;
    }

    /// Performs the TLS handshake if the client starts one. Returns `None` if it fails or takes too long.
    async fn secure(&self, stream: TcpStream, deadline: Instant) -> Option<ClientStream> {
        let Some(tls) = &self.tls else {
            return Some(ClientStream::Plain(stream));
        };
        let starts = tokio::select! {
            () = self.shutdown.cancelled() => return None,
            starts = timeout_at(deadline, stream::starts_tls(&stream)) => starts,
        };
        match starts {
            Ok(Ok(true)) => tokio::select! {
                () = self.shutdown.cancelled() => None,
                secured = timeout_at(deadline, stream::handshake(stream, tls)) => secured.ok()?.ok(),
            },
            Ok(Ok(false)) => Some(ClientStream::Plain(stream)),
            Ok(Err(_)) => None,
            Err(_) => {
                head::refuse(ClientStream::Plain(stream), &HeadError::Slow).await;
                None
            }
        }
    }

    /// Reads the first request. Returns it if it is an upgrade; otherwise serves the connection to its end.
    async fn first(
        &self,
        mut stream: ClientStream,
        peer: SocketAddr,
        deadline: Instant,
    ) -> Option<Box<Upgrade>> {
        let read = tokio::select! {
            () = self.shutdown.cancelled() => return None,
            read = timeout_at(deadline, head::read(&mut stream)) => read,
        };
        match read {
            Ok(Ok(Some((mut head, rest)))) if head.is_upgrade() => {
                self.replace_aws_host(&mut head, &stream);
                return Some(Box::new(Upgrade {
                    head,
                    stream,
                    rest,
                    peer,
                    shutdown: self.shutdown.clone(),
                }));
            }
            Ok(Ok(Some((head, rest)))) => {
                let bytes = head.into_bytes(rest);
                self.serve_http(stream, bytes, peer).await;
            }
            Ok(Ok(None)) => {}
            Ok(Err(bad)) => head::refuse(stream, &bad).await,
            Err(_) => head::refuse(stream, &HeadError::Slow).await,
        }
        None
    }

    /// Replaces the AWS host name in `Host` by the server's local address.
    fn replace_aws_host(&self, head: &mut RequestHead, stream: &ClientStream) {
        let scheme = stream.scheme();
        let host = head.header("host").unwrap_or_default();
        if let (true, Ok(local)) = (
            host::is_aws_host(self.tls.as_ref(), Some(&scheme), host),
            stream.local_addr(),
        ) {
            head.set_host(&local.to_string());
        }
    }

    async fn serve_http(&self, stream: ClientStream, first: Vec<u8>, peer: SocketAddr) {
        let (router, shutdown) = (self.routes.http.clone(), self.shutdown.clone());
        http::serve(stream, first, peer, router, shutdown).await;
    }
}
