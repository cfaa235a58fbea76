//! Connections to APIs of an emulator of AWS.

use std::net::SocketAddr;

use stackgen_network::{LoopbackEndpoint, NetworkOptions, Proxy, ProxyRules};
use stackgen_probe::{ProbeTarget, connect, request_status};

use crate::server::serve;

/// Starts a server that answers with the `Host` header of the request.
async fn server() -> SocketAddr {
    let url = serve(|mut peer| async move {
        let host = peer
            .head
            .lines()
            .find_map(|line| line.strip_prefix("Host: "));
        let host = host.unwrap_or_default();
        let answer = format!("HTTP/1.1 418 {host}\r\nContent-Length: 0\r\n\r\n");
        peer.write(answer.as_bytes()).await;
    })
    .await;
    let authority = url.trim_start_matches("ws://").trim_end_matches("/prod");
    authority.parse().unwrap()
}

fn network(emulator: SocketAddr) -> NetworkOptions {
    let proxy = Proxy::parse("http://127.0.0.1:1").unwrap();
    NetworkOptions {
        proxies: ProxyRules::new(Some(proxy.clone()), Some(proxy), ""),
        emulator: LoopbackEndpoint::parse(&format!("http://{emulator}")),
        ..NetworkOptions::default()
    }
}

#[tokio::test]
async fn hosts_of_apis_are_reached_at_the_emulator_with_their_own_host_header() {
    let emulator = server().await;
    for authority in [
        "a1b2c3.execute-api.localhost:4566",
        "a1b2c3.execute-api.eu-west-1.amazonaws.com",
    ] {
        for scheme in ["wss", "ws"] {
            let url = format!("{scheme}://{authority}/prod");
            let target = ProbeTarget::new(&url).unwrap();
            let target = target.network(&network(emulator)).unwrap();
            let answer = connect(&target).await.unwrap().handshake;
            assert_eq!((answer.status, answer.reason.as_str()), (418, authority));
            assert_eq!(
                (answer.peer, answer.proxy, answer.tls),
                (emulator, None, None)
            );
            assert_eq!(target.url(), url);
            assert_eq!(request_status(&target, "GET").await.unwrap(), 418);
        }
    }
}

#[tokio::test]
async fn other_hosts_are_not_reached_at_the_emulator() {
    let (emulator, other) = (server().await, server().await);
    let target = ProbeTarget::new(&format!("ws://{other}/prod")).unwrap();
    let target = target.network(&network(emulator)).unwrap();
    assert_eq!(connect(&target).await.unwrap().handshake.peer, other);
}
