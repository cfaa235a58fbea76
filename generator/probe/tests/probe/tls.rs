//! TLS: a certificate that is trusted, one that is not, and no TLS at all.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use stackgen_probe::{ConnectError, Target, connect, trusting};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A certificate for `localhost` that signs itself, good until 2126.
const CERTIFICATE: &[u8] = include_bytes!("localhost.pem");
const KEY: &[u8] = include_bytes!("localhost.key");

fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(CERTIFICATE).unwrap())
        .unwrap();
    roots
}

/// A server that refuses every handshake over TLS; returns its port.
async fn secure_server() -> u16 {
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

fn target(url: &str, roots: RootCertStore) -> Target {
    let mut target = Target::new(url).unwrap();
    target.tls = Some(trusting(roots).unwrap());
    target.timeout = Duration::from_secs(5);
    target
}

#[tokio::test]
async fn a_trusted_server_is_spoken_to_and_its_steps_are_timed() {
    let port = secure_server().await;
    let attempt = connect(&target(&format!("wss://localhost:{port}/"), roots()))
        .await
        .unwrap();
    assert_eq!(attempt.handshake.status, 401);
    assert_eq!(attempt.handshake.tls.as_deref(), Some("TLSv1.3"));
    assert!(attempt.handshake.timings.tls.is_some());
}

#[tokio::test]
async fn an_unknown_issuer_and_a_wrong_name_are_refused() {
    let port = secure_server().await;
    let unknown = connect(&target(
        &format!("wss://localhost:{port}/"),
        RootCertStore::empty(),
    ))
    .await
    .unwrap_err();
    insta::assert_snapshot!(unknown, @"the certificate of localhost is refused: invalid peer certificate: UnknownIssuer");
    let wrong = connect(&target(&format!("wss://127.0.0.1:{port}/"), roots()))
        .await
        .unwrap_err();
    assert!(matches!(wrong, ConnectError::Certificate { .. }), "{wrong}");
}

#[tokio::test]
async fn a_port_without_tls_and_one_with_it_are_told_from_each_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let no_tls = connect(&target(&plain, roots())).await.unwrap_err();
    assert!(matches!(no_tls, ConnectError::Tls { .. }), "{no_tls}");
    let port = secure_server().await;
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
