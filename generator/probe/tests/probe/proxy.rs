//! Connections through proxies, and root certificates.

use std::net::SocketAddr;

use stackgen_network::{NetworkOptions, Proxy, ProxyRules, RootCertificates};
use stackgen_probe::{ConnectError, HandshakeAttempt, ProbeTarget, connect, request_status};
use stackgen_test_tools::{PrivateCa, TestProxy};

use crate::server::{serve, serve_refusal};

/// Host that only the proxy can resolve.
const HOST: &str = "api.example";

/// Starts a server that accepts every handshake. Returns its address.
async fn accepting_server() -> SocketAddr {
    let url = serve(|mut peer| async move { peer.accept("").await }).await;
    let authority = url.trim_start_matches("ws://").trim_end_matches("/prod");
    authority.parse().unwrap()
}

fn network(proxy: &str, no_proxy: &str, ca: Option<&PrivateCa>) -> NetworkOptions {
    let proxy = Proxy::parse(proxy).unwrap();
    NetworkOptions {
        proxies: ProxyRules::new(Some(proxy.clone()), Some(proxy), no_proxy),
        roots: ca.map(|ca| RootCertificates::from_pem(ca.pem().as_bytes()).unwrap()),
        emulator: None,
    }
}

async fn attempt(url: &str, network: &NetworkOptions) -> Result<HandshakeAttempt, ConnectError> {
    let target = ProbeTarget::new(url).unwrap().network(network).unwrap();
    connect(&target).await
}

#[tokio::test]
async fn a_handshake_goes_through_the_proxy_with_tls_and_without() {
    let ca = PrivateCa::new();
    let plain = accepting_server().await;
    let secure = ca.serve(HOST, plain).await;
    for (url, server, line) in [
        ("wss://api.example/prod", secure, "CONNECT api.example:443"),
        ("ws://api.example/prod", plain, "CONNECT api.example:80"),
        (
            "wss://api.example:8443/prod",
            secure,
            "CONNECT api.example:8443",
        ),
    ] {
        let proxy = TestProxy::start(&[(HOST, server)]).await;
        let address = proxy.address();
        let network = network(&format!("http://{address}"), "", Some(&ca));
        let answer = attempt(url, &network).await.unwrap();
        assert_eq!(answer.handshake.status, 101, "{url}");
        assert_eq!(proxy.requests(), [line]);
        let shown = answer.handshake.proxy.unwrap();
        assert_eq!(shown, format!("http://{address}"));
        assert!(answer.handshake.timings.proxy.is_some());
        assert!(answer.connection.is_some());
    }
}

#[tokio::test]
async fn credentials_of_the_proxy_are_sent_and_never_shown() {
    let server = accepting_server().await;
    // `Aladdin:open sesame`, the example of RFC 7617.
    let authorization = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    let proxy = TestProxy::start_with_authorization(&[(HOST, server)], authorization).await;
    let address = proxy.address();
    let url = format!("http://Aladdin:open%20sesame@{address}");
    let good = attempt("ws://api.example/prod", &network(&url, "", None)).await;
    assert_eq!(good.unwrap().handshake.status, 101);
    let wrong = format!("http://Aladdin:s3cret@{address}");
    let wrong = attempt("ws://api.example/prod", &network(&wrong, "", None)).await;
    let refused = ConnectError::ProxyRefused {
        proxy: format!("http://{address}"),
        status: 407,
    };
    assert_eq!(wrong.unwrap_err(), refused);
    let shown = refused.to_string();
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_proxy_that_uses_tls_itself_is_supported() {
    let ca = PrivateCa::new();
    let server = ca.serve(HOST, accepting_server().await).await;
    let proxy = TestProxy::start(&[(HOST, server)]).await;
    let secure_proxy = ca.serve("localhost", proxy.address()).await;
    let url = format!("https://localhost:{}", secure_proxy.port());
    let answer = attempt("wss://api.example/prod", &network(&url, "", Some(&ca))).await;
    assert_eq!(answer.unwrap().handshake.status, 101);
    assert_eq!(proxy.requests(), ["CONNECT api.example:443"]);
}

#[tokio::test]
async fn loopback_and_no_proxy_are_reached_directly() {
    let server = accepting_server().await;
    let proxy = TestProxy::start(&[]).await;
    let proxy_url = format!("http://{}", proxy.address());
    let network = network(&proxy_url, "api.example", None);
    let direct = attempt(&format!("ws://{server}/prod"), &network).await;
    assert_eq!(direct.unwrap().handshake.status, 101);
    let target = ProbeTarget::new("wss://api.example/prod").unwrap();
    assert_eq!(target.network(&network).unwrap().proxy, None);
    assert!(proxy.requests().is_empty());
}

#[tokio::test]
async fn requests_of_http_apis_go_through_the_proxy_too() {
    let url = serve_refusal("401 Unauthorized", "", "").await;
    let server = url.trim_start_matches("ws://").trim_end_matches("/prod");
    let proxy = TestProxy::start(&[(HOST, server.parse().unwrap())]).await;
    let network = network(&format!("http://{}", proxy.address()), "", None);
    let target = |url| ProbeTarget::new(url).unwrap().network(&network).unwrap();
    let status = request_status(&target("http://api.example/"), "GET").await;
    assert_eq!(status.unwrap(), 401);
    let refused = request_status(&target("http://other.example/"), "GET").await;
    assert!(
        matches!(refused, Err(ConnectError::ProxyRefused { status: 502, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_proxy_that_is_down_is_named_in_the_error() {
    let network = network("http://proxy.invalid:3128", "", None);
    let failure = attempt("wss://api.example/prod", &network).await;
    let failure = failure.unwrap_err();
    assert!(
        matches!(&failure, ConnectError::ProxyFailed { proxy, .. } if proxy == "http://proxy.invalid:3128"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_with_its_bundle() {
    let (ca, other) = (PrivateCa::new(), PrivateCa::new());
    let server = ca.serve("localhost", accepting_server().await).await;
    let url = format!("wss://localhost:{}/prod", server.port());
    let trusting = |ca| NetworkOptions {
        roots: Some(RootCertificates::from_pem(PrivateCa::pem(ca).as_bytes()).unwrap()),
        ..NetworkOptions::default()
    };
    let trusted = attempt(&url, &trusting(&ca)).await.unwrap();
    assert_eq!(trusted.handshake.status, 101);
    let untrusted = attempt(&url, &trusting(&other)).await.unwrap_err();
    assert!(
        matches!(untrusted, ConnectError::Certificate { .. }),
        "{untrusted}"
    );
}
