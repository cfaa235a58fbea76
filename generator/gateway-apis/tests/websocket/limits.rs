//! Clients cannot fill a gateway's memory, stop it or block it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt};
use proptest::prelude::*;
use serde_json::json;
use stackgen_gateway_apis::connections::PostError;
use stackgen_gateway_apis::server::RequestHead;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Reply, TestApi, TestGateway, request, upgrade, within_timeout};

const ROUTES: &[&str] = &["$connect", "$default", "$disconnect"];

#[tokio::test]
async fn row_k7_the_buffer_of_a_client_that_does_not_read_is_limited() {
    let gateway = TestApi::with(ROUTES)
        .start_with(|it| it.limits.client_buffer = 256 * 1024)
        .await;
    let mut client = gateway.connect().await;
    let id = gateway.functions.event("connect").await["requestContext"]["connectionId"].clone();
    let connection = gateway.plane.connections.get(id.as_str().unwrap()).unwrap();
    let post = Bytes::from(vec![b'x'; 64 * 1024]);
    let mut posted = 0;
    loop {
        match connection.post(post.clone()) {
            Ok(()) => posted += 1,
            Err(full) => {
                assert_eq!(full, PostError::Full);
                break;
            }
        }
        // The kernel takes a limited number of messages, which makes room.
        tokio::task::yield_now().await;
        assert!(posted < 1024, "the buffer has no limit");
    }
    for _ in 0..posted {
        assert_eq!(client.text().await.len(), post.len());
    }
    connection.post(post).unwrap();
    client.text().await;
}

#[tokio::test]
async fn row_m15_a_client_that_does_not_read_can_be_deleted() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let client = gateway.connect().await;
    let id = gateway.functions.event("connect").await["requestContext"]["connectionId"].clone();
    let connection = gateway.plane.connections.get(id.as_str().unwrap()).unwrap();
    let post = Bytes::from(vec![b'x'; 128 * 1024]);
    while connection.post(post.clone()).is_ok() {
        tokio::task::yield_now().await;
    }
    connection.delete().unwrap();
    let event = gateway.functions.event("disconnect").await;
    assert_eq!(event["requestContext"]["disconnectStatusCode"], 1000);
    assert_eq!(gateway.closed().await.2, "M15");
    drop(client);
}

#[tokio::test]
async fn a_client_that_sends_faster_than_functions_answer_is_slowed_down() {
    let gateway = TestApi::with(ROUTES).start().await;
    gateway.functions.always("default", Reply::Held(json!({})));
    let mut client = gateway.connect().await;
    let message = "x".repeat(32 * 1024);
    let mut sent = 0;
    // Sends as long as the sockets accept data: the gateway stops reading, then its receive buffer fills, then ours.
    while client
        .socket
        .feed(Message::text(message.clone()))
        .now_or_never()
        .is_some()
        && client.socket.flush().now_or_never().is_some()
    {
        sent += 1;
        assert!(sent < 10_000, "the client is never slowed down");
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    gateway.functions.release(sent);
    for _ in 0..sent {
        gateway.functions.event("default").await;
    }
}

#[tokio::test]
async fn row_m12_a_client_that_pings_without_reading_is_slowed_down_and_gets_every_pong() {
    let gateway = TestApi::with(ROUTES).start().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let stream = socket
        .connect(([127, 0, 0, 1], gateway.port).into())
        .await
        .unwrap();
    let mut client = upgrade(stream, "/prod", &[]).await.unwrap();
    let stream = client.socket.get_mut();
    let ping = Client::frame(0x89, &[b'p'; 125]);
    let pings = ping.repeat(500);
    let mut sent = 0;
    // Sends as long as the sockets accept data: while pongs wait, the gateway reads nothing more.
    while let Ok(written) = timeout(
        Duration::from_secs(1),
        stream.write(&pings[sent % pings.len()..]),
    )
    .await
    {
        sent += written.unwrap();
        assert!(sent < 64 * 1024 * 1024, "the client is never slowed down");
    }
    for _ in 0..sent / ping.len() {
        let mut pong = [0; 127];
        within_timeout(stream.read_exact(&mut pong)).await.unwrap();
        assert_eq!(pong[..3], [0x8a, 125, b'p']);
    }
}

#[tokio::test]
async fn a_client_that_reads_late_gets_all_its_answers() {
    let test_api = TestApi::with(ROUTES).two_way("$default");
    let gateway = test_api
        .start_with(|it| it.limits.client_buffer = 64 * 1024)
        .await;
    let answer = "x".repeat(100 * 1024);
    let reply = json!({ "body": answer });
    gateway.functions.always("default", Reply::Json(reply));
    let mut client = gateway.connect().await;
    for n in 0..100 {
        client.send(n.to_string()).await;
    }
    for _ in 0..100 {
        assert_eq!(client.text().await, answer);
    }
    assert_eq!(gateway.functions.calls("default"), 100);
}

#[tokio::test]
async fn every_connection_leads_to_exactly_one_disconnect() {
    let gateway = TestApi::with(ROUTES).start().await;
    for n in 0..40 {
        let mut client = gateway.connect().await;
        client.send("hello").await;
        match n % 4 {
            0 => client.close(None).await,
            1 => drop(client),
            2 => client.send_raw(&[0xff; 64]).await,
            _ => client.send_message(Message::binary(vec![0])).await,
        }
    }
    for _ in 0..40 {
        gateway.functions.event("disconnect").await;
    }
    assert!(gateway.plane.connections.is_empty());
    let functions = gateway.stop().await;
    assert_eq!(
        (functions.calls("disconnect"), functions.calls("connect")),
        (0, 40)
    );
}

/// Sends bytes and reads until the connection ends.
async fn survives(gateway: &TestGateway, bytes: &[u8]) {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    // The gateway may close the connection before all is sent.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = within_timeout(stream.read_to_end(&mut answer)).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_parsed_as_a_head_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(Some((_, taken))) = RequestHead::parse(&bytes) {
            prop_assert!(taken <= bytes.len());
        }
    }

    #[test]
    fn a_head_preserves_the_case_of_header_names(name in "[A-Za-z][A-Za-z0-9-]{0,20}", value in "[a-z]{1,9}") {
        let bytes = format!("GET / HTTP/1.1\r\n{name}: {value}\r\n\r\nrest");
        let (head, taken) = RequestHead::parse(bytes.as_bytes()).unwrap().unwrap();
        prop_assert_eq!(head.headers, vec![(name, value)]);
        prop_assert_eq!(taken, bytes.len() - 4);
    }

    #[test]
    fn arbitrary_bytes_do_not_stop_the_gateway(
        parts in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let gateway = TestApi::with(ROUTES).start().await;
            for (after_handshake, part) in &parts {
                let mut bytes = if *after_handshake { request("/prod", &[]) } else { Vec::new() };
                bytes.extend(part);
                survives(&gateway, &bytes).await;
            }
            let mut client = gateway.connect().await;
            client.send("still there").await;
            while gateway.functions.event("default").await["body"] != "still there" {}
            drop(client);
            gateway.stop().await;
        });
    }
}

#[tokio::test]
async fn a_frame_can_arrive_byte_by_byte() {
    let gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    for byte in Client::frame(0x81, b"slowly") {
        client.send_raw(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(gateway.functions.event("default").await["body"], "slowly");
}
