//! Proxies and root certificates of calls.

use serde_json::json;
use stackgen_aws::{AccessOptions, Aws};
use stackgen_deploy::{Account, AccountErrorKind as Kind};
use stackgen_network::{NetworkOptions, Proxy, ProxyRules, RootCertificates};
use stackgen_test_tools::{PrivateCa, TestProxy};

use crate::replay::{Exchange, Replay, get, options};

/// Host that only the proxy can resolve.
const HOST: &str = "aws.example";

fn no_apis() -> Exchange {
    get("GET /v2/apis", json!({ "items": [] }))
}

fn proxies(url: &str) -> ProxyRules {
    except(url, "")
}

fn except(url: &str, no_proxy: &str) -> ProxyRules {
    let proxy = Proxy::parse(url).unwrap();
    ProxyRules::new(Some(proxy.clone()), Some(proxy), no_proxy)
}

fn trusting(ca: &PrivateCa) -> Option<RootCertificates> {
    Some(RootCertificates::from_pem(ca.pem().as_bytes()).unwrap())
}

fn with(endpoint: &str, proxies: ProxyRules, roots: Option<RootCertificates>) -> AccessOptions {
    AccessOptions {
        network: NetworkOptions {
            proxies,
            roots,
            emulator: None,
        },
        ..options(endpoint)
    }
}

#[tokio::test]
async fn https_calls_go_through_a_tunnel_of_the_proxy() {
    let ca = PrivateCa::new();
    let mut proxy = None;
    let behind = async |address| {
        let server = ca.serve(HOST, address).await;
        let started = proxy.insert(TestProxy::start(&[(HOST, server)]).await);
        let url = format!("http://{}", started.address());
        with("https://aws.example", proxies(&url), trusting(&ca))
    };
    let replay = Replay::behind([no_apis()], behind).await;
    assert!(replay.aws.apis().await.unwrap().is_empty());
    replay.end();
    assert_eq!(proxy.unwrap().requests(), ["CONNECT aws.example:443"]);
}

#[tokio::test]
async fn http_calls_are_forwarded_by_the_proxy() {
    let mut proxy = None;
    let behind = async |address| {
        let started = proxy.insert(TestProxy::start(&[(HOST, address)]).await);
        let url = format!("http://{}", started.address());
        with("http://aws.example", proxies(&url), None)
    };
    let replay = Replay::behind([no_apis()], behind).await;
    assert!(replay.aws.apis().await.unwrap().is_empty());
    replay.end();
    let requests = proxy.unwrap().requests();
    assert_eq!(requests, ["GET http://aws.example/v2/apis"]);
}

#[tokio::test]
async fn the_proxy_gets_its_credentials_and_errors_do_not_show_them() {
    let ca = PrivateCa::new();
    // `Aladdin:open sesame`, the example of RFC 7617.
    let authorization = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    for scheme in ["https", "http"] {
        let mut proxy = None;
        let endpoint = format!("{scheme}://aws.example");
        let behind = async |address| {
            let server = match scheme {
                "https" => ca.serve(HOST, address).await,
                _ => address,
            };
            let hosts = [(HOST, server)];
            let started = TestProxy::start_with_authorization(&hosts, authorization);
            let started = proxy.insert(started.await);
            let url = format!("http://Aladdin:open%20sesame@{}", started.address());
            with(&endpoint, proxies(&url), trusting(&ca))
        };
        let replay = Replay::behind([no_apis()], behind).await;
        assert!(replay.aws.apis().await.unwrap().is_empty(), "{scheme}");
        replay.end();

        let wrong = format!("http://Aladdin:s3cret@{}", proxy.unwrap().address());
        let options = with(&endpoint, proxies(&wrong), trusting(&ca));
        let failure = Aws::connect(&options).await.unwrap().apis().await;
        let failure = failure.unwrap_err();
        assert_eq!(failure.kind, Kind::Proxy, "{failure}");
        assert!(!failure.to_string().contains("s3cret"), "{failure}");
        assert!(!format!("{options:?}").contains("s3cret"));
    }
}

#[tokio::test]
async fn hosts_of_no_proxy_and_of_this_machine_are_called_directly() {
    let proxy = TestProxy::start(&[]).await;
    let url = format!("http://{}", proxy.address());
    let listed = except(&url, "aws.invalid");
    let aws = Aws::connect(&with("http://aws.invalid", listed, None)).await;
    let failure = aws.unwrap().apis().await.unwrap_err();
    // No resolver knows the name, and the proxy was not asked.
    assert_eq!(failure.kind, Kind::Unreachable, "{failure}");
    let behind = async |address| with(&format!("http://{address}"), proxies(&url), None);
    let replay = Replay::behind([no_apis()], behind).await;
    assert!(replay.aws.apis().await.unwrap().is_empty());
    replay.end();
    assert!(proxy.requests().is_empty());
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_with_its_bundle() {
    let (ca, other) = (PrivateCa::new(), PrivateCa::new());
    let mut endpoint = String::new();
    let behind = async |address| {
        let server = ca.serve("localhost", address).await;
        endpoint = format!("https://localhost:{}", server.port());
        with(&endpoint, ProxyRules::default(), trusting(&ca))
    };
    let replay = Replay::behind([no_apis()], behind).await;
    assert!(replay.aws.apis().await.unwrap().is_empty());
    replay.end();
    for roots in [trusting(&other), None] {
        let aws = Aws::connect(&with(&endpoint, ProxyRules::default(), roots)).await;
        let failure = aws.unwrap().apis().await.unwrap_err();
        assert_eq!(failure.kind, Kind::UntrustedCertificate, "{failure}");
        assert!(!failure.is_transient());
        assert!(failure.hint().unwrap().contains("AWS_CA_BUNDLE"));
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_a_host_makes_it_unreachable() {
    let proxy = TestProxy::start(&[]).await;
    let rules = proxies(&format!("http://{}", proxy.address()));
    let aws = Aws::connect(&with("https://aws.example", rules, None)).await;
    let failure = aws.unwrap().apis().await.unwrap_err();
    assert_eq!(failure.kind, Kind::Unreachable, "{failure}");
    assert!(failure.to_string().contains("tunnel error"), "{failure}");
}
