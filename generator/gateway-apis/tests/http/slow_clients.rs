//! Clients of a port with TLS that send nothing, or do not finish the TLS handshake.

use std::sync::Arc;

use axum::Router;
use stackgen_gateway_apis::server::{self, ServerRoutes, ServerTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::server::ResolvesServerCertUsingSni;
use tokio_util::sync::CancellationToken;

/// Serves a port with TLS that has no certificate.
fn serve() -> std::net::SocketAddr {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
    let tls = ServerTls {
        config: Arc::new(config),
        hosts: server::AwsHosts::Services,
    };
    let listener = server::listen(None).unwrap();
    let address = listener.local_addr().unwrap();
    let routes = ServerRoutes {
        websocket: None,
        http: Router::new(),
    };
    let stop = CancellationToken::new();
    tokio::spawn(server::serve(listener, stop, Some(tls), routes));
    address
}

/// Sends bytes and reads until the server closes the connection. The clock jumps when all tasks wait.
async fn response_to(bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(serve()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_nothing_gets_408() {
    let response = response_to(b"").await;
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
}

#[tokio::test(start_paused = true)]
async fn a_tls_handshake_that_does_not_end_is_abandoned() {
    assert_eq!(response_to(&[22]).await, "");
}
