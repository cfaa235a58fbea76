//! Plain HTTP requests.

use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio_util::sync::CancellationToken;

use super::prefixed::PrefixedStream;
use super::{ClientStream, LocalAddress};

/// Serves the requests of a connection whose first bytes were read already.
pub(super) async fn serve(
    stream: ClientStream,
    first: Vec<u8>,
    peer: SocketAddr,
    router: Router,
    shutdown: CancellationToken,
) {
    let local = stream.local_addr().map(LocalAddress).ok();
    let scheme = stream.scheme();
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(peer));
        extensions.insert(scheme.clone());
        if let Some(local) = local {
            extensions.insert(local);
        }
        router.call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(PrefixedStream::new(first, stream)), service)
    );
    // Errors are clients that disconnected or do not speak HTTP; hyper has responded to them.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
