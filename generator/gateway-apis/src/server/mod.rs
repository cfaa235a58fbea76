//! One port: WebSocket handshakes to the data plane of WebSocket APIs, everything else to axum.

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

pub(crate) use head::part;
pub use head::{BadHead, RequestHead};
pub(crate) use host::FOREIGN;
pub use host::is_loopback;
pub use upgrade::{Upgrade, UpgradeHandler};

/// The address that a request came to, as an extension of it: what `domainName` in events names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddress(pub SocketAddr);

/// How long a client may take for the head of its request.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// How long open connections may take to end when the server stops, `$disconnect` functions included.
const SHUTDOWN_TIME: Duration = Duration::from_secs(10);

/// What the kernel may keep for a client that does not read, before its buffer here begins to fill (row K7).
const SEND_BUFFER: u32 = 128 * 1024;

/// Listens on loopback, at this port or at any free one.
///
/// # Errors
///
/// If the port is taken.
pub fn listen(port: Option<u16>) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // Sockets that are accepted inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(SocketAddr::from((
        Ipv4Addr::LOCALHOST,
        port.unwrap_or_default(),
    )))?;
    socket.listen(4096)
}

/// Serves until `shutdown`; then takes no new connections, closes those that are open, and waits for them within a bound.
///
/// Whoever comes by a name that is not loopback's is refused. Requests to upgrade to WebSocket go to `websocket`; all others, and all if there is none, to `http`, whose handlers
/// find the client's address as [`axum::extract::ConnectInfo`] and the server's as [`LocalAddress`].
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
            // Out of file descriptors, or a client that is gone already: others may have better luck.
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
    if tokio::time::timeout(SHUTDOWN_TIME, tasks.wait())
        .await
        .is_err()
    {
        abandon.cancel();
        tasks.wait().await;
    }
}

/// One TCP connection from its first byte. What each of its phases needs is boxed, so that an open WebSocket holds
/// nothing of the others.
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

/// Reads the first request. Serves the connection to its end unless that is a request to upgrade.
async fn first(
    mut stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
) -> Option<Box<Upgrade>> {
    let read = tokio::select! {
        () = shutdown.cancelled() => return None,
        read = tokio::time::timeout(HEAD_TIME, head::read(&mut stream)) => read,
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
        Err(_) => head::refuse(stream, &BadHead::Slow).await,
    }
    None
}
