//! TLS: trusted and untrusted certificates, and ports without TLS.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use stackgen_probe::{ConnectError, ProbeTarget, connect, tls_config_with_roots};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Self-signed certificate for `localhost`, valid until 2126.
const CERTIFICATE: &[u8] = include_bytes!("localhost.pem");
const KEY: &[u8] = include_bytes!("localhost.key");

fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(CERTIFICATE).unwrap())
        .unwrap();
    roots
}

/// Starts a TLS server that refuses every handshake. Returns its port.
async fn serve_tls() -> u16 {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
            PrivateKeyDer::from_pem_slice(KEY).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut head = [0; 1024];
                let _ = stream.read(&mut head).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
                    .await;
            });
        }
    });
    port
}

fn target(url: &str, roots: RootCertStore) -> ProbeTarget {
    let mut target = ProbeTarget::new(url).unwrap();
    target.tls = Some(tls_config_with_roots(roots).unwrap());
    target.timeout = Duration::from_secs(5);
    target
}

#[tokio::test]
async fn a_handshake_over_tls_has_a_tls_version_and_a_timing() {
    let port = serve_tls().await;
    let attempt = connect(&target(&format!("wss://localhost:{port}/"), roots()))
        .await
        .unwrap();
    assert_eq!(attempt.handshake.status, 401);
    assert_eq!(attempt.handshake.tls.as_deref(), Some("TLSv1.3"));
    assert!(attempt.handshake.timings.tls.is_some());
}

#[tokio::test]
async fn an_unknown_issuer_and_a_wrong_host_name_are_rejected() {
    let port = serve_tls().await;
    let unknown = connect(&target(
        &format!("wss://localhost:{port}/"),
        RootCertStore::empty(),
    ))
    .await
    .unwrap_err();
    insta::assert_snapshot!(unknown, @"the certificate of localhost is not trusted: invalid peer certificate: UnknownIssuer");
    let wrong = connect(&target(&format!("wss://127.0.0.1:{port}/"), roots()))
        .await
        .unwrap_err();
    assert!(matches!(wrong, ConnectError::Certificate { .. }), "{wrong}");
}

#[tokio::test]
async fn a_wrong_scheme_for_the_port_gives_different_errors_with_and_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let no_tls = connect(&target(&plain, roots())).await.unwrap_err();
    assert!(matches!(no_tls, ConnectError::Tls { .. }), "{no_tls}");
    let port = serve_tls().await;
    let tls = connect(&target(&format!("ws://localhost:{port}/"), roots()))
        .await
        .unwrap_err();
    assert!(
        matches!(
            tls,
            ConnectError::NotHttp { .. } | ConnectError::Dropped { .. }
        ),
        "{tls}"
    );
}
