//! Frames on an open connection.

use std::time::Duration;

use stackgen_probe::{
    ClientClose, ClientConnection, ClosedBy, ConnectionEnd, Incoming, ProbeTarget, connect,
};
use tokio::time::Instant;

use crate::server::{Peer, serve};

async fn connected(url: &str) -> ClientConnection {
    let attempt = connect(&ProbeTarget::new(url).unwrap()).await.unwrap();
    attempt.connection.unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn close(code: u16, reason: &str, by: ClosedBy, clean: bool) -> ConnectionEnd {
    ConnectionEnd {
        code,
        reason: reason.to_owned(),
        by,
        clean,
    }
}

#[tokio::test]
async fn text_is_sent_and_received_and_pings_are_answered() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        peer.frame(0x89, b"are you there").await;
        let pong = peer.next().await.unwrap();
        assert_eq!(
            (pong.opcode, pong.payload.as_slice()),
            (0xa, b"are you there".as_slice())
        );
        let message = peer.next().await.unwrap();
        assert_eq!(
            (message.opcode, message.payload.as_slice()),
            (1, b"hello".as_slice())
        );
        // A message in two frames with a ping in between.
        peer.frame(0x01, b"hello ").await;
        peer.frame(0x89, b"").await;
        peer.frame(0x80, b"yourself").await;
        peer.close(1000, "").await;
    })
    .await;
    let mut connection = connected(&url).await;
    assert_eq!(connection.receive(soon()).await, Incoming::Ping);
    connection.send("hello").await.unwrap();
    assert_eq!(connection.receive(soon()).await, Incoming::Ping);
    match connection.receive(soon()).await {
        Incoming::Text(text) => {
            assert_eq!(text.as_str(), "hello yourself");
            assert!(!format!("{text:?}").contains("hello"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_in_the_same_packet_as_the_handshake_is_not_lost() {
    let url = serve(|mut peer| async move {
        let key = peer.header("Sec-WebSocket-Key").unwrap().to_owned();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        let head = format!(
            "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(b"\x81\x02hi");
        peer.write(&bytes).await;
        peer.next().await;
    })
    .await;
    let text = connected(&url).await.receive(soon()).await;
    assert!(matches!(text, Incoming::Text(text) if text.as_str() == "hi"));
}

/// Returns the end that the client sees if the server runs this script.
async fn end_after<F>(script: fn(Peer) -> F) -> ConnectionEnd
where
    F: Future<Output = ()> + Send + 'static,
{
    let url = serve(move |mut peer| async move {
        peer.accept("").await;
        script(peer).await;
    })
    .await;
    let mut connection = connected(&url).await;
    let Incoming::Closed(close) = connection.receive(soon()).await else {
        panic!("the connection did not end");
    };
    assert_eq!(connection.end(), Some(&close));
    // A connection that has ended stays ended.
    assert_eq!(connection.send("more").await, Err(close.clone()));
    assert_eq!(
        connection.receive(soon()).await,
        Incoming::Closed(close.clone())
    );
    assert_eq!(connection.close(&ClientClose::Bare).await, close);
    close
}

#[tokio::test]
async fn row_x4_a_close_frame_has_a_code_and_a_reason() {
    let away = end_after(|peer| peer.close(1001, "Going away")).await;
    assert_eq!(away, close(1001, "Going away", ClosedBy::Server, true));
    for code in [1000, 1003, 1009, 1011, 4001] {
        let url = serve(move |mut peer| async move {
            peer.accept("").await;
            peer.close(code, "").await;
        })
        .await;
        let seen = connected(&url).await.receive(soon()).await;
        assert_eq!(
            seen,
            Incoming::Closed(close(code, "", ClosedBy::Server, true))
        );
    }
}

#[tokio::test]
async fn row_x1_a_close_frame_without_a_status_is_1005() {
    let bare = end_after(|mut peer| async move {
        peer.frame(0x88, b"").await;
        peer.next().await;
    })
    .await;
    assert_eq!(bare, close(1005, "", ClosedBy::Server, true));
}

#[tokio::test]
async fn row_x3_tcp_that_ends_without_a_close_frame_is_1006() {
    let lost = end_after(|peer| async move { drop(peer) }).await;
    assert_eq!(
        (lost.code, lost.by, lost.clean),
        (1006, ClosedBy::Network, false)
    );
}

#[tokio::test]
async fn row_m16_a_bare_close_has_no_status_and_other_closes_have_their_code() {
    for (close, payload) in [
        (ClientClose::Bare, vec![]),
        (ClientClose::Code(4001), vec![0x0f, 0xa1]),
    ] {
        let (frame_sender, frame_receiver) = tokio::sync::oneshot::channel();
        let frame_sender = std::sync::Mutex::new(Some(frame_sender));
        let url = serve(move |mut peer| {
            let frame_sender = frame_sender.lock().unwrap().take().unwrap();
            async move {
                peer.accept("").await;
                let frame = peer.next().await.unwrap();
                peer.frame(0x88, &frame.payload).await;
                frame_sender.send(frame).unwrap();
            }
        })
        .await;
        let seen = connected(&url).await.close(&close).await;
        let frame = frame_receiver.await.unwrap();
        assert_eq!((frame.opcode, frame.payload), (8, payload));
        assert_eq!((seen.by, seen.clean), (ClosedBy::Client, true));
    }
}

#[tokio::test]
async fn a_frame_that_breaks_the_protocol_ends_the_connection() {
    // Servers must not mask frames nor set reserved bits.
    for frame in [b"\x81\x82\x00\x00\x00\x00hi".as_slice(), b"\xf1\x02hi"] {
        let url = serve(move |mut peer| async move {
            peer.accept("").await;
            peer.write(frame).await;
            while peer.next().await.is_some() {}
        })
        .await;
        let seen = connected(&url).await.receive(soon()).await;
        assert!(
            matches!(&seen, Incoming::Closed(close) if close.code == 1006),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn nothing_is_received_if_the_server_sends_nothing() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        while peer.next().await.is_some() {}
    })
    .await;
    let mut connection = connected(&url).await;
    assert_eq!(connection.receive(Instant::now()).await, Incoming::Nothing);
}

#[tokio::test]
async fn sending_to_a_server_that_does_not_read_times_out() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut connection = connected(&url).await;
    tokio::time::pause();
    // More than the socket buffers of both ends hold.
    let lost = connection.send(&"x".repeat(64 * 1024 * 1024)).await;
    let lost = lost.unwrap_err();
    let expected = close(
        1006,
        "the other side does not read",
        ClosedBy::Network,
        false,
    );
    assert_eq!(lost, expected);
}
