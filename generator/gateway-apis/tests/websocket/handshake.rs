//! Handshakes (rows C1 to C11).

use bytes::Bytes;
use serde_json::{Value, json};
use stackgen_gateway_apis::connections::PostError;
use stackgen_gateway_common::invoke::{Caller, InvokeErrorKind};

use crate::support::{Reply, Stack, request};

const CONNECT: &[&str] = &["$connect", "$disconnect"];

fn id(event: &Value) -> String {
    event["requestContext"]["connectionId"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn row_c1_the_upgrade_waits_for_connect() {
    let mut world = Stack::with(CONNECT).start().await;
    world
        .functions
        .always("connect", Reply::Held(json!({"statusCode": 204})));
    let functions = std::sync::Arc::clone(&world.functions);
    let (client, ()) = tokio::join!(world.connect(), async {
        functions.event("connect").await;
        assert!(world.plane.connections.is_empty());
        functions.release(1);
    });
    assert_eq!(
        client.answer.header("sec-websocket-accept"),
        Some(crate::support::ACCEPT)
    );
    assert_eq!(world.plane.connections.len(), 1);
    drop(client);
    assert_eq!(world.closed().await.2, "X3");
}

#[tokio::test]
async fn row_c1_what_is_no_handshake_is_a_bad_request_and_calls_nobody() {
    let mut world = Stack::with(CONNECT).start().await;
    let good = String::from_utf8(request("/prod", &[])).unwrap();
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    for (instead_of, bad, reason) in [
        ("GET", "POST", "the method is not GET"),
        (key, "", "Sec-WebSocket-Key is not 16 bytes in base64"),
        (
            "dGhlIHNhbXBsZSBub25jZQ==",
            "c2hvcnQ=",
            "Sec-WebSocket-Key is not 16 bytes in base64",
        ),
        // Twenty-four characters that are not base64.
        (
            "dGhlIHNhbXBsZSBub25jZQ==",
            "dGhlIHNhbXBsZSB-b25jZQ==",
            "Sec-WebSocket-Key is not 16 bytes in base64",
        ),
        (
            key,
            &*key.repeat(2),
            "Sec-WebSocket-Key occurs more than once",
        ),
        (
            version,
            &*version.repeat(2),
            "Sec-WebSocket-Version occurs more than once",
        ),
        ("Host: localhost\r\n", "", "Host is missing"),
        (
            "Host: localhost\r\n",
            "Host: localhost\r\nHost: localhost\r\n",
            "Host occurs more than once",
        ),
        (
            key,
            &*format!("{key}Content-Length: 5\r\n"),
            "the request has a body",
        ),
        (
            key,
            &*format!("{key}Transfer-Encoding: chunked\r\n"),
            "the request has a body",
        ),
    ] {
        let request = good.replacen(instead_of, bad, 1);
        assert_eq!(world.raw(request.as_bytes()).await.status, 400, "{request}");
        let expected = (400, "C1", format!("Bad handshake: {reason}"));
        assert_eq!(world.refusal().await, expected);
    }
    assert_eq!(world.raw(b"\x16\x03\x01 is TLS\r\n\r\n").await.status, 400);
    let large = format!("GET /prod HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    assert_eq!(world.raw(large.as_bytes()).await.status, 431);
    assert_eq!(world.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_c1_another_version_of_the_protocol_is_told_which_one_is_spoken() {
    let mut world = Stack::with(CONNECT).start().await;
    let good = String::from_utf8(request("/prod", &[])).unwrap();
    let version = "Sec-WebSocket-Version: 13\r\n";
    for other in ["Sec-WebSocket-Version: 12\r\n", ""] {
        let refused = world.raw(good.replacen(version, other, 1).as_bytes()).await;
        assert_eq!(refused.status, 426, "{other}");
        assert_eq!(refused.header("sec-websocket-version"), Some("13"));
        assert_eq!(refused.header("upgrade"), Some("websocket"));
        assert_eq!(world.refusal().await.1, "C1");
    }
    assert_eq!(world.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_c4_http_1_0_has_no_upgrades() {
    let world = Stack::with(CONNECT).start().await;
    let good = String::from_utf8(request("/prod", &[])).unwrap();
    let old = good.replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert_eq!(world.raw(old.as_bytes()).await.status, 426);
    assert_eq!(world.functions.calls("connect"), 0);
}

#[tokio::test]
async fn a_name_that_is_not_loopbacks_is_refused_with_an_upgrade_and_without() {
    let mut world = Stack::with(CONNECT).start().await;
    let good = String::from_utf8(request("/prod", &[])).unwrap();
    let rebound = good.replacen("Host: localhost", "Host: rebound.example", 1);
    assert_eq!(world.raw(rebound.as_bytes()).await.status, 403);
    insta::assert_snapshot!(world.refusal().await.2, @"Forbidden: the Host header names another machine; use 127.0.0.1 or localhost");
    for (host, status) in [
        ("Host: rebound.example\r\n", 403),
        ("Host: rebound.example\r\nHost: localhost\r\n", 400),
        ("", 400),
        ("Host: app.localhost:3000\r\n", 426),
    ] {
        let plain = format!("GET /prod HTTP/1.1\r\n{host}\r\n");
        assert_eq!(world.raw(plain.as_bytes()).await.status, status, "{host}");
    }
    assert_eq!(world.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_c1_a_message_sent_with_the_handshake_is_not_lost() {
    let world = Stack::with(&["send"]).start().await;
    let mut request = request("/prod", &[]);
    request.extend(crate::support::Client::frame(0x81, br#"{"action":"send"}"#));
    assert_eq!(world.raw(&request).await.status, 101);
    assert_eq!(
        world.functions.event("send").await["body"],
        r#"{"action":"send"}"#
    );
}

#[tokio::test]
async fn row_c2_without_a_connect_route_everybody_is_accepted() {
    let world = Stack::with(&["send"]).start().await;
    world.connect().await;
    assert_eq!(world.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_c3_a_stage_without_a_deployment_and_no_stage_at_all_are_forbidden() {
    let mut stack = Stack::with(CONNECT);
    stack.deployed = false;
    let mut world = stack.clone().start().await;
    let refused = world.handshake("/prod", &[]).await.unwrap_err();
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["message"], "Forbidden");
    assert_eq!(
        refused.header("x-amzn-errortype"),
        Some("ForbiddenException")
    );
    assert!(refused.header("x-amzn-requestid").is_some());
    let (status, row, reason) = world.refusal().await;
    assert_eq!(
        (status, row, reason.as_str()),
        (403, "C3", "stage `prod` has no deployment")
    );
    for target in ["/", "/dev", "/prod/deeper?x=1"] {
        assert_eq!(world.status(target, &[]).await, 403, "{target}");
    }
    stack.deployed = true;
    stack.serve(&world.plane);
    assert_eq!(world.status("/prod/", &[]).await, 101);
    assert_eq!(world.status("/prod/deeper", &[]).await, 403);
}

#[tokio::test]
async fn row_c4_plain_http_is_told_to_upgrade() {
    let world = Stack::with(CONNECT).start().await;
    let answer = world
        .raw(b"GET /prod HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert_eq!(answer.status, 426);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
}

#[tokio::test]
async fn row_c5_the_status_of_connect_is_the_status_of_the_handshake() {
    let mut world = Stack::with(CONNECT).start().await;
    for status in [301, 400, 401, 403, 418, 501] {
        let reply = json!({"statusCode": status, "body": "secret", "headers": {"X-Secret": "x"}});
        world.functions.always("connect", Reply::Json(reply));
        let refused = world.handshake("/prod", &[]).await.unwrap_err();
        assert_eq!(refused.status, status);
        assert!(
            !String::from_utf8(refused.body.clone())
                .unwrap()
                .contains("secret")
        );
        assert_eq!(refused.header("x-secret"), None);
        assert_eq!(world.refusal().await.1, "C5");
    }
    world
        .functions
        .always("connect", Reply::Json(json!({"statusCode": "299"})));
    assert_eq!(world.status("/prod", &[]).await, 101);
}

#[tokio::test]
async fn row_c6_a_function_that_throws_or_returns_nonsense_is_a_bad_gateway() {
    let mut world = Stack::with(CONNECT).start().await;
    for reply in [
        Reply::Throw("no database"),
        Reply::Json(json!(null)),
        Reply::Json(json!({})),
        Reply::Json(json!("ok")),
        Reply::Json(json!({"statusCode": "ok"})),
        Reply::Json(json!({"statusCode": 99})),
        Reply::Bytes(b"{".to_vec()),
        Reply::Json(json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "a\r\nX: y"}})),
    ] {
        world.functions.always("connect", reply.clone());
        assert_eq!(world.status("/prod", &[]).await, 502, "{reply:?}");
        let (_, row, reason) = world.refusal().await;
        assert_eq!(row, "C6");
        assert!(!reason.contains("database"), "{reason}");
    }
}

#[tokio::test]
async fn row_c7_an_integration_that_cannot_be_reached_is_an_internal_error() {
    let mut world = Stack::with(CONNECT).start().await;
    for kind in [
        InvokeErrorKind::AccessDenied,
        InvokeErrorKind::NotFound,
        InvokeErrorKind::TooManyRequests,
        InvokeErrorKind::Unrunnable,
    ] {
        world.functions.always("connect", Reply::Unreachable(kind));
        assert_eq!(world.status("/prod", &[]).await, 500);
        assert_eq!(world.refusal().await, (500, "C7", format!("{kind:?}")));
    }
    let (_, caller) = world.functions.call("connect").await;
    let source_arn =
        "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/$connect".to_owned();
    assert_eq!(caller, Caller::ApiGateway { source_arn });
}

#[tokio::test]
async fn row_c7_what_is_not_run_here_says_so() {
    let stack = Stack::with(CONNECT).change_integration("$connect", |it| {
        it.integration_type = "HTTP_PROXY".to_owned();
        it.integration_uri = Some("https://example.com".to_owned());
    });
    let mut world = stack.clone().start().await;
    assert_eq!(world.status("/prod", &[]).await, 500);
    let (_, row, reason) = world.refusal().await;
    assert_eq!(row, "C7");
    insta::assert_snapshot!(reason, @"HTTP_PROXY integrations are not supported here, only AWS_PROXY and MOCK");
    stack
        .change_route("$connect", |it| it.target = None)
        .serve(&world.plane);
    assert_eq!(world.status("/prod", &[]).await, 500);
    assert_eq!(world.refusal().await.2, "route $connect has no integration");
}

#[tokio::test]
async fn row_c8_a_connect_that_takes_too_long_is_a_gateway_timeout() {
    let stack = Stack::with(CONNECT).change_integration("$connect", |it| it.timeout_in_millis = 50);
    let mut world = stack.start().await;
    world.functions.always("connect", Reply::Hang);
    assert_eq!(world.status("/prod", &[]).await, 504);
    assert_eq!(world.refusal().await.1, "C8");
    assert!(world.plane.connections.is_empty());
}

#[tokio::test]
async fn row_c9_of_the_answer_only_the_subprotocol_is_sent() {
    let world = Stack::with(CONNECT).start().await;
    for headers in [
        json!({"headers": {"sec-websocket-PROTOCOL": "chat.v2", "Set-Cookie": "x"}, "body": "hello"}),
        json!({"multiValueHeaders": {"Sec-WebSocket-Protocol": ["chat.v2"]}}),
    ] {
        let mut reply = headers;
        reply["statusCode"] = json!(200);
        world.functions.always("connect", Reply::Json(reply));
        let offered = [("Sec-WebSocket-Protocol", "chat.v1, chat.v2")];
        let mut client = world.handshake("/prod", &offered).await.unwrap();
        assert_eq!(
            client.answer.header("sec-websocket-protocol"),
            Some("chat.v2")
        );
        assert_eq!(client.answer.header("set-cookie"), None);
        // A body would arrive before the pong.
        client.ping().await;
    }
}

#[tokio::test]
async fn row_c10_no_subprotocol_is_echoed_by_itself() {
    let world = Stack::with(CONNECT).start().await;
    let client = world
        .handshake("/prod", &[("Sec-WebSocket-Protocol", "chat")])
        .await
        .unwrap();
    assert_eq!(client.answer.header("sec-websocket-protocol"), None);
}

#[tokio::test]
async fn row_c11_nobody_finds_a_connection_before_it_is_accepted() {
    let world = Stack::with(CONNECT).start().await;
    world
        .functions
        .always("connect", Reply::Held(json!({"statusCode": 200})));
    let (mut client, id) = tokio::join!(world.connect(), async {
        let id = id(&world.functions.event("connect").await);
        assert!(world.plane.connections.get(&id).is_none());
        world.functions.release(1);
        id
    });
    let connection = world.plane.connections.get(&id).unwrap();
    connection.post(Bytes::from_static(b"hello")).unwrap();
    assert_eq!(client.text().await, "hello");
    client.close(None).await;
    world.functions.event("disconnect").await;
    assert_eq!(connection.post(Bytes::new()), Err(PostError::Gone));
}

#[tokio::test]
async fn row_c1_a_client_that_vanishes_during_connect_gets_its_disconnect_when_it_was_accepted() {
    let mut world = Stack::with(CONNECT).start().await;
    world
        .functions
        .always("connect", Reply::Held(json!({"statusCode": 200})));
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", world.port))
        .await
        .unwrap();
    let pending = crate::support::send(stream, request("/prod", &[])).await;
    let connecting = id(&world.functions.event("connect").await);
    drop(pending);
    world.functions.release(1);
    let event = world.functions.event("disconnect").await;
    assert_eq!(id(&event), connecting);
    assert_eq!(event["requestContext"]["disconnectStatusCode"], 1006);
    assert_eq!(world.closed().await.0, 1006);
    assert!(world.plane.connections.is_empty());
}

#[tokio::test]
async fn a_mock_accepts_or_refuses_by_its_template() {
    let mock = |template: &str| {
        Stack::with(CONNECT).change_integration("$connect", |it| {
            it.integration_type = "MOCK".to_owned();
            it.template_selection_expression = Some("200".to_owned());
            it.request_templates
                .insert("200".to_owned(), template.to_owned());
        })
    };
    let world = mock(r#"{"statusCode":200}"#).start().await;
    world.connect().await;
    mock(r#"{"statusCode": 403}"#).serve(&world.plane);
    assert_eq!(world.status("/prod", &[]).await, 403);
    mock("nothing").serve(&world.plane);
    assert_eq!(world.status("/prod", &[]).await, 500);
}

#[tokio::test]
async fn row_d18_a_throttle_of_zero_refuses_every_handshake() {
    let mut world = Stack::with(CONNECT).throttle(None, 0, 0.0).start().await;
    let refused = world.handshake("/prod", &[]).await.unwrap_err();
    assert_eq!(
        (refused.status, refused.json()["message"].as_str()),
        (429, Some("Too Many Requests"))
    );
    assert_eq!(world.refusal().await.1, "D18");
    assert_eq!(world.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_m9_a_required_parameter_that_is_missing_is_a_bad_request() {
    let stack = Stack::with(CONNECT)
        .requires("route.request.querystring.room")
        .requires("route.request.header.X-Client");
    let mut world = stack.start().await;
    let refused = world.handshake("/prod?room=", &[]).await.unwrap_err();
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.json()["message"],
        "Missing required request parameters: [room, X-Client]"
    );
    assert_eq!(world.refusal().await.1, "M9");
    assert_eq!(
        world.status("/prod?room=1", &[("x-client", "me")]).await,
        101
    );
}
