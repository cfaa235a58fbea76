//! Handshakes that get no answer.

use std::time::Duration;

use stackgen_probe::{ConnectError, ConnectStep, ProbeTarget, connect};
use tokio::net::TcpSocket;

use crate::server::{serve, serve_bytes};

async fn failure(url: &str) -> ConnectError {
    let mut target = ProbeTarget::new(url).unwrap();
    // Resolvers may wait for several servers in turn.
    target.timeout = Duration::from_secs(60);
    connect(&target).await.unwrap_err()
}

#[tokio::test]
async fn a_host_name_without_an_address_is_a_dns_error() {
    // RFC 6761 reserves `.invalid`: no resolver has an address for it.
    let failure = failure("ws://nobody.invalid/?token=s3cret").await;
    assert!(
        matches!(&failure, ConnectError::Dns { host, .. } if host == "nobody.invalid"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_port_without_a_listener_refuses() {
    // Bound, so that no other process gets the port, but without a listener.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    assert_eq!(
        failure(&format!("ws://{address}")).await,
        ConnectError::Refused { address }
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_times_out() {
    let url = serve(|mut peer| async move {
        peer.next().await;
    })
    .await;
    let mut target = ProbeTarget::new(&url).unwrap();
    target.timeout = Duration::from_millis(50);
    let failure = connect(&target).await.unwrap_err();
    assert_eq!(
        failure,
        ConnectError::TimedOut {
            step: ConnectStep::Upgrade,
            after: target.timeout
        }
    );
}

#[tokio::test]
async fn an_incomplete_answer_and_one_that_is_not_http_are_different_errors() {
    let dropped = failure(&serve_bytes("HTTP/1.1 101 Sw").await).await;
    assert!(
        matches!(
            dropped,
            ConnectError::Dropped {
                after_bytes: 15,
                ..
            }
        ),
        "{dropped}"
    );
    let silent = failure(&serve_bytes("").await).await;
    assert!(
        matches!(silent, ConnectError::Dropped { after_bytes: 0, .. }),
        "{silent}"
    );
    let other = failure(&serve_bytes("SSH-2.0-OpenSSH_9.2\r\n").await).await;
    assert!(matches!(other, ConnectError::NotHttp { .. }), "{other}");
    let endless = format!("HTTP/1.1 101 OK\r\nX: {}", "x".repeat(70_000));
    assert!(matches!(
        failure(&serve_bytes(endless).await).await,
        ConnectError::NotHttp { .. }
    ));
}
