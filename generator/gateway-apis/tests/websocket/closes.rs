//! Closes and the `$disconnect` function (rows M10 to M18).

use std::time::{Duration, Instant};

use serde_json::json;
use stackgen_gateway_common::Event;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Reply, TestApi, TestGateway, request, send};

const ROUTES: &[&str] = &["$connect", "$default", "$disconnect"];

/// Waits for the event of `$disconnect`, and returns its code and reason.
async fn disconnected(gateway: &TestGateway) -> (u64, String) {
    let event = gateway.functions.event("disconnect").await;
    let context = &event["requestContext"];
    let reason = context["disconnectReason"].as_str().unwrap().to_owned();
    (context["disconnectStatusCode"].as_u64().unwrap(), reason)
}

/// Waits for the close frame, the function's event and the gateway's event, which must agree. Returns code, reason and
/// row.
async fn expect_close(
    gateway: &mut TestGateway,
    mut client: Client,
) -> (u16, String, &'static str) {
    let (code, reason) = client.closed().await.unwrap();
    drop(client);
    assert_eq!(
        disconnected(gateway).await,
        (u64::from(code), reason.clone())
    );
    let closed = gateway.closed().await;
    assert_eq!((closed.0, &closed.1), (code, &reason));
    assert!(gateway.plane.connections.is_empty());
    closed
}

#[tokio::test]
async fn row_m10_a_binary_frame_closes_with_1003() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    client.send_message(Message::binary(vec![1, 2, 3])).await;
    let (code, _, row) = expect_close(&mut gateway, client).await;
    assert_eq!((code, row), (1003, "M10"));
    assert_eq!(gateway.functions.calls("default"), 0);
}

#[tokio::test]
async fn row_m11_a_frame_over_32_kilobytes_closes_with_1009() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    client.send("x".repeat(32 * 1024)).await;
    gateway.functions.event("default").await;
    client.send("x".repeat(32 * 1024 + 1)).await;
    let (code, _, row) = expect_close(&mut gateway, client).await;
    assert_eq!((code, row), (1009, "M11"));
}

#[tokio::test]
async fn row_m11_a_message_over_128_kilobytes_closes_with_1009() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    let part = vec![b'x'; 32 * 1024];
    // Four frames of 32 KB are 128 KB.
    for first_byte in [0x01, 0x00, 0x00, 0x80] {
        client.send_raw(&Client::frame(first_byte, &part)).await;
    }
    let event = gateway.functions.event("default").await;
    assert_eq!(event["body"].as_str().unwrap().len(), 128 * 1024);
    for first_byte in [0x01, 0x00, 0x00, 0x00] {
        client.send_raw(&Client::frame(first_byte, &part)).await;
    }
    client.send_raw(&Client::frame(0x80, b"x")).await;
    let (code, _, row) = expect_close(&mut gateway, client).await;
    assert_eq!((code, row), (1009, "M11"));
}

#[tokio::test]
async fn row_m12_pings_are_answered_while_a_function_runs_and_reach_no_function() {
    let gateway = TestApi::with(ROUTES).start().await;
    gateway.functions.always("default", Reply::Held(json!({})));
    let mut client = gateway.connect().await;
    client.send("hello").await;
    gateway.functions.event("default").await;
    client.ping().await;
    client.send_message(Message::Pong("unasked".into())).await;
    client.ping().await;
    gateway.functions.release(1);
    assert_eq!(gateway.functions.calls("default"), 0);
}

#[tokio::test]
async fn row_m12_a_ping_does_not_reset_the_idle_timer() {
    let idle = Duration::from_millis(300);
    let mut gateway = TestApi::with(ROUTES)
        .start_with(|it| it.limits.idle = idle)
        .await;
    let mut client = gateway.connect().await;
    let pinging = async {
        loop {
            client.send_message(Message::Ping("?".into())).await;
            if let Some(Message::Close(frame)) = client.next().await {
                return frame.unwrap();
            }
        }
    };
    let frame = tokio::time::timeout(Duration::from_secs(30), pinging)
        .await
        .unwrap();
    assert_eq!(u16::from(frame.code), 1001);
    assert_eq!(gateway.closed().await.2, "M13");
}

#[tokio::test]
async fn row_m13_an_idle_connection_is_closed() {
    let idle = Duration::from_millis(100);
    let mut gateway = TestApi::with(ROUTES)
        .start_with(|it| it.limits.idle = idle)
        .await;
    let client = gateway.connect().await;
    let closed = expect_close(&mut gateway, client).await;
    assert_eq!(closed, (1001, "Going away".to_owned(), "M13"));
}

#[tokio::test]
async fn row_m13_data_in_either_direction_resets_the_idle_timer() {
    let idle = Duration::from_millis(500);
    for from_client in [true, false] {
        let mut gateway = TestApi::with(ROUTES)
            .start_with(|it| it.limits.idle = idle)
            .await;
        let mut client = gateway.connect().await;
        let id = gateway.functions.event("connect").await["requestContext"]["connectionId"].clone();
        let connection = gateway.plane.connections.get(id.as_str().unwrap()).unwrap();
        let begun = Instant::now();
        let mut last = begun;
        // Sends data for three times the limit. A machine that stalls may exceed the limit.
        while begun.elapsed() < 3 * idle && last.elapsed() < idle {
            last = Instant::now();
            if from_client {
                client.send("hello").await;
                gateway.functions.event("default").await;
            } else if connection.post("hello".into()).is_ok() {
                client.next().await;
            }
            tokio::time::sleep(idle / 8).await;
        }
        assert_eq!(client.closed().await.unwrap().0, 1001);
        assert!(last.elapsed() >= idle, "it ended before it was idle");
        assert_eq!(gateway.closed().await.2, "M13");
    }
}

#[tokio::test]
async fn row_m14_a_busy_connection_is_closed_at_its_maximum_age() {
    let age = Duration::from_millis(300);
    let mut gateway = TestApi::with(ROUTES)
        .start_with(|it| it.limits.connection = age)
        .await;
    gateway.functions.always("default", Reply::Throw("x"));
    let mut client = gateway.connect().await;
    let talking = async {
        loop {
            client.send("hello").await;
            if let Some(Message::Close(frame)) = client.next().await {
                return frame.unwrap();
            }
        }
    };
    let frame = tokio::time::timeout(Duration::from_secs(30), talking)
        .await
        .unwrap();
    assert_eq!(u16::from(frame.code), 1001);
    assert_eq!(gateway.closed().await.2, "M14");
}

#[tokio::test]
async fn row_m15_a_deleted_connection_closes_with_1000_after_the_posts() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    let id = gateway.functions.event("connect").await["requestContext"]["connectionId"].clone();
    let connection = gateway.plane.connections.get(id.as_str().unwrap()).unwrap();
    connection.post("last words".into()).unwrap();
    connection.delete().unwrap();
    assert!(connection.delete().is_err());
    assert_eq!(client.text().await, "last words");
    let closed = expect_close(&mut gateway, client).await;
    assert_eq!(
        closed,
        (1000, "Connection Closed Normally".to_owned(), "M15")
    );
}

#[tokio::test]
async fn row_m16_a_close_without_a_code_is_1005() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    client.close(None).await;
    let closed = disconnected(&gateway).await;
    assert_eq!(
        closed,
        (1005, "Client-side close frame status not set".to_owned())
    );
    assert_eq!(gateway.closed().await.2, "M16");
}

#[tokio::test]
async fn row_m17_a_closed_tab_is_1001_with_an_empty_reason() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    client.close(Some((1001, ""))).await;
    assert_eq!(disconnected(&gateway).await, (1001, String::new()));
    assert_eq!(gateway.closed().await.2, "M17");
}

#[tokio::test]
async fn row_x4_a_clients_own_code_and_reason_are_passed_on() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    client.close(Some((4001, "bye"))).await;
    assert_eq!(disconnected(&gateway).await, (4001, "bye".to_owned()));
    assert_eq!(gateway.closed().await.2, "X4");
}

#[tokio::test]
async fn row_x3_a_lost_tcp_connection_is_1006() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    // In the middle of a frame.
    client.send_raw(&Client::frame(0x81, b"hello")[..4]).await;
    drop(client);
    assert_eq!(disconnected(&gateway).await.0, 1006);
    assert_eq!(gateway.closed().await.2, "X3");
}

#[tokio::test]
async fn a_protocol_violation_closes_with_1002_and_invalid_utf8_with_1007() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let unmasked = [0x81, 0x01, b'x'].to_vec();
    for (bytes, expected) in [
        (unmasked, 1002),
        (Client::frame(0xC1, b"reserved bit"), 1002),
        (Client::frame(0x83, b"unknown opcode"), 1002),
        (Client::frame(0x80, b"continues nothing"), 1002),
        (Client::frame(0x09, b"fragmented ping"), 1002),
        (Client::frame(0x88, &[0]), 1002),
        // A length that is not encoded in as few bytes as possible.
        ([0x81, 0xfe, 0, 1, 0, 0, 0, 0, b'x'].to_vec(), 1002),
        (Client::frame(0x81, &[0xff, 0xfe]), 1007),
    ] {
        let mut client = gateway.connect().await;
        client.send_raw(&bytes).await;
        let (code, ..) = expect_close(&mut gateway, client).await;
        assert_eq!(code, expected, "{bytes:?}");
    }
}

#[tokio::test]
async fn messages_before_an_overlong_length_are_handled() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let mut bytes = request("/prod", &[]);
    bytes.extend(Client::frame(0x81, b"good"));
    bytes.extend([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, b'x']);
    assert_eq!(gateway.raw(&bytes).await.status, 101);
    assert_eq!(gateway.functions.event("default").await["body"], "good");
    assert_eq!(disconnected(&gateway).await.0, 1002);
    assert_eq!(gateway.closed().await.0, 1002);
}

#[tokio::test]
async fn row_m18_disconnect_is_called_once_and_after_the_messages() {
    let gateway = TestApi::with(ROUTES).start().await;
    gateway.functions.always("default", Reply::Held(json!({})));
    let mut client = gateway.connect().await;
    for n in 0..3 {
        client.send(n.to_string()).await;
    }
    client.close(None).await;
    gateway.functions.event("default").await;
    assert_eq!(gateway.functions.calls("disconnect"), 0);
    gateway.functions.release(3);
    gateway.functions.event("disconnect").await;
    assert_eq!(gateway.functions.calls("default"), 2);
    let functions = gateway.stop().await;
    assert_eq!(functions.calls("disconnect"), 0);
}

#[tokio::test]
async fn row_m18_a_failed_disconnect_is_reported_and_has_no_other_effect() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    gateway.functions.always("disconnect", Reply::Throw("x"));
    let mut client = gateway.connect().await;
    client.close(None).await;
    let reason = gateway
        .event(|event| match event {
            Event::DisconnectFailed { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .await;
    assert_eq!(reason, "the function failed with Error");
    assert_eq!(gateway.functions.calls("disconnect"), 1);
    // Without a route there is nothing to call, and the next connection works.
    TestApi::with(&["$connect"]).serve(&gateway.plane);
    gateway.connect().await.close(None).await;
    assert_eq!(gateway.closed().await.0, 1005);
}

#[tokio::test]
async fn row_x4_a_stopping_gateway_closes_with_1012_and_waits_for_disconnect() {
    let gateway = TestApi::with(ROUTES).start().await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(gateway.connect().await);
    }
    let stopping = tokio::spawn(gateway.stop());
    for client in &mut clients {
        let closed = client.closed().await;
        assert_eq!(closed, Some((1012, "Service restart".to_owned())));
        // tungstenite answers the close frame when it reads on.
        assert_eq!(client.next().await, None);
    }
    let functions = stopping.await.unwrap();
    assert_eq!(functions.calls("disconnect"), 10);
}

#[tokio::test]
async fn a_stopping_gateway_waits_for_functions_for_a_limited_time() {
    let hour = 3_600_000;
    let test_api = TestApi::with(ROUTES)
        .change_integration("$connect", |it| it.timeout_in_millis = hour)
        .change_integration("$disconnect", |it| it.timeout_in_millis = hour);
    let gateway = test_api
        .start_with(|it| it.limits.integration = Duration::from_millis(hour))
        .await;
    let _client = gateway.connect().await;
    gateway.functions.event("connect").await;
    gateway.functions.always("connect", Reply::Hang);
    gateway.functions.always("disconnect", Reply::Hang);
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    let _connecting = send(stream, request("/prod", &[])).await;
    gateway.functions.event("connect").await;
    // From here on there are only timers to wait for. `stop` panics after half a minute of timer time.
    tokio::time::pause();
    let functions = gateway.stop().await;
    assert_eq!(functions.calls("disconnect"), 1);
}
