//! HTTP requests: HTTP/1.1, and HTTP/2 with TLS or with prior knowledge.

use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::extract::ConnectInfo;
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri, Version, header};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use super::prefixed::PrefixedStream;
use super::{ClientStream, LocalAddress};

/// First bytes of an HTTP/2 connection. No HTTP/1 request starts with them.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads the first bytes of a connection, until they show whether the client speaks HTTP/2.
pub(super) async fn read_first(stream: &mut ClientStream) -> Vec<u8> {
    let mut first = Vec::with_capacity(PREFACE.len());
    while first.len() < PREFACE.len() && PREFACE.starts_with(&first) {
        let mut rest = stream.take((PREFACE.len() - first.len()) as u64);
        // After an error or the end, the server of the connection sees it, too.
        if !matches!(rest.read_buf(&mut first).await, Ok(1..)) {
            break;
        }
    }
    first
}

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
        if request.version() == Version::HTTP_2 {
            use_host_header(&mut request);
        }
        router.call(request)
    });
    let is_http2 = first == PREFACE;
    let io = TokioIo::new(PrefixedStream::new(first, stream));
    // Errors are clients that disconnected or do not speak HTTP; hyper has responded to them.
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new());
        let mut connection = pin!(builder.serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => {}
            () = shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    } else {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new());
        let mut connection = pin!(builder.serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => {}
            () = shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }
}

/// Gives a request of HTTP/2 the form of HTTP/1.1: the authority as `Host` header, and only the path in the URI.
fn use_host_header(request: &mut hyper::Request<Incoming>) {
    let uri = request.uri();
    let host = uri
        .authority()
        .map(|authority| HeaderValue::try_from(authority.as_str()));
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let path: Option<Uri> = path.parse().ok();
    if let Some(Ok(host)) = host {
        request.headers_mut().insert(header::HOST, host);
    }
    if let Some(path) = path {
        *request.uri_mut() = path;
    }
}
