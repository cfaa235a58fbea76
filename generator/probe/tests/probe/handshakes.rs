//! Answers to handshakes.

use stackgen_probe::{HandshakeResponse, ProbeTarget, Violation, connect};

use crate::server::{serve, serve_bytes, serve_refusal};

async fn answer(url: &str) -> HandshakeResponse {
    let attempt = connect(&ProbeTarget::new(url).unwrap()).await.unwrap();
    assert_eq!(
        attempt.connection.is_some(),
        attempt.handshake.is_accepted()
    );
    attempt.handshake
}

#[tokio::test]
async fn row_x2_a_status_that_browsers_hide_is_read_with_headers_and_body() {
    for status in [
        "301 Moved",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
    ]
    .into_iter()
    .chain([
        "426 Upgrade Required",
        "429 Too Many",
        "500 Oh",
        "502 Bad",
        "504 Late",
    ]) {
        let url = serve_refusal(status, "X-Amzn-RequestId: abc\r\n", "{\"message\":\"No\"}").await;
        let handshake = answer(&url).await;
        assert_eq!(format!("{} {}", handshake.status, handshake.reason), status);
        assert_eq!(handshake.header("x-amzn-requestid"), Some("abc"));
        assert_eq!(handshake.headers[1].name, "X-Amzn-RequestId");
        assert_eq!(handshake.body, "{\"message\":\"No\"}");
    }
}

#[tokio::test]
async fn a_body_ends_at_its_length_its_last_chunk_or_the_end_of_the_connection() {
    let chunked =
        "HTTP/1.1 403 F\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(answer(&serve_bytes(chunked).await).await.body, "abcde");
    let to_the_end = "HTTP/1.1 403 F\r\n\r\nabc";
    assert_eq!(answer(&serve_bytes(to_the_end).await).await.body, "abc");
    let longer = "HTTP/1.1 403 F\r\nContent-Length: 2\r\n\r\nabc";
    assert_eq!(answer(&serve_bytes(longer).await).await.body, "ab");
    let broken_off = "HTTP/1.1 403 F\r\nContent-Length: 20\r\n\r\nabc";
    assert_eq!(answer(&serve_bytes(broken_off).await).await.body, "abc");
}

#[tokio::test]
async fn an_early_hint_is_not_the_answer() {
    let answer_after_hint =
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 403 F\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(
        answer(&serve_bytes(answer_after_hint).await).await.status,
        403
    );
}

#[tokio::test]
async fn an_accepted_handshake_opens_a_connection() {
    let url = serve(|mut peer| async move {
        peer.accept("").await;
        peer.next().await;
    })
    .await;
    let handshake = answer(&url).await;
    assert!(handshake.is_accepted());
    assert_eq!((handshake.subprotocol, handshake.timings.tls), (None, None));
}

#[tokio::test]
async fn the_server_chooses_one_of_the_offered_subprotocols() {
    let url = serve(|mut peer| async move {
        assert_eq!(
            peer.header("Sec-WebSocket-Protocol"),
            Some("chat, superchat")
        );
        peer.accept("Sec-WebSocket-Protocol: superchat\r\n").await;
        peer.next().await;
    })
    .await;
    let offering = |target: ProbeTarget| {
        target
            .subprotocol("chat")
            .unwrap()
            .subprotocol("superchat")
            .unwrap()
    };
    let attempt = connect(&offering(ProbeTarget::new(&url).unwrap()))
        .await
        .unwrap();
    assert_eq!(attempt.handshake.subprotocol.as_deref(), Some("superchat"));
    assert!(attempt.connection.is_some());
}

#[tokio::test]
async fn an_answer_with_101_that_breaks_the_protocol_opens_no_connection() {
    let url = serve_bytes(
        "HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: y\r\n\r\n",
    )
    .await;
    let handshake = answer(&url).await;
    assert_eq!(
        handshake.violations,
        [
            Violation::Upgrade,
            Violation::Connection,
            Violation::Accept,
            Violation::Subprotocol
        ]
    );
    let url = serve(|mut peer| async move {
        peer.accept("Sec-WebSocket-Extensions: permessage-deflate\r\n")
            .await;
    })
    .await;
    assert_eq!(answer(&url).await.violations, [Violation::Extension]);
}
