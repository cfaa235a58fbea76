//! Server of one port: passes WebSocket handshakes to a WebSocket API and all other requests to axum.

mod head;
mod host;
mod http;
mod prefixed;
mod upgrade;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use head::close_gracefully;
pub use head::{HeadError, RequestHead};
pub(crate) use host::FOREIGN_HOST;
pub use host::is_loopback;
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

/// Serves until `shutdown`. Then it accepts no new connections, closes the open ones and waits for them within a time
/// limit.
///
/// Requests whose `Host` is not loopback are refused. Upgrades to WebSocket go to `websocket`. Other requests, and all
/// requests without `websocket`, go to `http`. Its handlers find the client's address as [`axum::extract::ConnectInfo`]
/// and the server's as [`LocalAddress`].
pub async fn serve(
    listener: TcpListener,
    shutdown: CancellationToken,
    websocket: Option<Arc<dyn UpgradeHandler>>,
    http: Router,
) {
    let http = http.layer(middleware::from_fn(host::only_loopback));
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
        let served = connection(
            stream,
            peer,
            websocket.clone(),
            http.clone(),
            shutdown.clone(),
        );
        tasks.spawn(abandon.clone().run_until_cancelled_owned(served));
    }
    drop(listener);
    if let Some(websocket) = &websocket {
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

/// Serves one TCP connection. Each phase is boxed, so that an open WebSocket does not hold memory of the other phases.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    websocket: Option<Arc<dyn UpgradeHandler>>,
    router: Router,
    shutdown: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let Some(websocket) = websocket else {
        return Box::pin(http::serve(stream, Vec::new(), peer, router, shutdown)).await;
    };
    let first = Box::pin(first(stream, peer, router, shutdown));
    if let Some(upgrade) = first.await {
        websocket.serve(upgrade).await;
    }
}

/// Reads the first request. Returns it if it is an upgrade; otherwise serves the connection to its end.
async fn first(
    mut stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
) -> Option<Box<Upgrade>> {
    let read = tokio::select! {
        () = shutdown.cancelled() => return None,
        read = tokio::time::timeout(HEAD_TIMEOUT, head::read(&mut stream)) => read,
    };
    match read {
        Ok(Ok(Some((head, rest)))) if head.is_upgrade() => {
            return Some(Box::new(Upgrade {
                head,
                stream,
                rest,
                peer,
                shutdown,
            }));
        }
        Ok(Ok(Some((head, rest)))) => {
            let bytes = head.into_bytes(rest);
            http::serve(stream, bytes, peer, router, shutdown).await;
        }
        Ok(Ok(None)) => {}
        Ok(Err(bad)) => head::refuse(stream, &bad).await,
        Err(_) => head::refuse(stream, &HeadError::Slow).await,
    }
    None
}
