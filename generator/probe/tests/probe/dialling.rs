//! No answer at all.

use std::time::Duration;

use stackgen_probe::{ConnectError, Step, Target, connect};
use tokio::net::TcpSocket;

use crate::server::{answering, serve};

async fn failure(url: &str) -> ConnectError {
    let mut target = Target::new(url).unwrap();
    // Resolvers ask several servers, and wait for each.
    target.timeout = Duration::from_secs(60);
    connect(&target).await.unwrap_err()
}

#[tokio::test]
async fn a_name_without_an_address_is_said_to_have_none() {
    // RFC 6761: no resolver has an address for it.
    let failure = failure("ws://nobody.invalid/?token=s3cret").await;
    assert!(
        matches!(&failure, ConnectError::Dns { host, .. } if host == "nobody.invalid"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_port_without_a_listener_refuses() {
    // Bound, so that nobody else gets the port, but nobody listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    assert_eq!(
        failure(&format!("ws://{address}")).await,
        ConnectError::Refused { address }
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let url = serve(|mut peer| async move {
        peer.next().await;
    })
    .await;
    let mut target = Target::new(&url).unwrap();
    target.timeout = Duration::from_millis(50);
    let failure = connect(&target).await.unwrap_err();
    assert_eq!(
        failure,
        ConnectError::TimedOut {
            step: Step::Upgrade,
            after: target.timeout
        }
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_is_no_http_is_told_apart() {
    let dropped = failure(&answering("HTTP/1.1 101 Sw").await).await;
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
    let silent = failure(&answering("").await).await;
    assert!(
        matches!(silent, ConnectError::Dropped { after_bytes: 0, .. }),
        "{silent}"
    );
    let other = failure(&answering("SSH-2.0-OpenSSH_9.2\r\n").await).await;
    assert!(matches!(other, ConnectError::NotHttp { .. }), "{other}");
    let endless = format!("HTTP/1.1 101 OK\r\nX: {}", "x".repeat(70_000));
    assert!(matches!(
        failure(&answering(endless).await).await,
        ConnectError::NotHttp { .. }
    ));
}
