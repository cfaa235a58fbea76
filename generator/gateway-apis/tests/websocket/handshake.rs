//! Handshakes (rows C1 to C11).

use bytes::Bytes;
use serde_json::{Value, json};
use stackgen_gateway_apis::connections::PostError;
use stackgen_gateway_common::invoke::{InvocationCaller, InvokeErrorKind};

use crate::support::{Reply, TestApi, request};

const CONNECT: &[&str] = &["$connect", "$disconnect"];

fn id(event: &Value) -> String {
    event["requestContext"]["connectionId"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn row_c1_the_upgrade_waits_for_connect() {
    let mut gateway = TestApi::with(CONNECT).start().await;
    gateway
        .functions
        .always("connect", Reply::Held(json!({"statusCode": 204})));
    let functions = std::sync::Arc::clone(&gateway.functions);
    let (client, ()) = tokio::join!(gateway.connect(), async {
        functions.event("connect").await;
        assert!(gateway.plane.connections.is_empty());
        functions.release(1);
    });
    assert_eq!(
        client.answer.header("sec-websocket-accept"),
        Some(crate::support::ACCEPT)
    );
    assert_eq!(gateway.plane.connections.len(), 1);
    drop(client);
    assert_eq!(gateway.closed().await.2, "X3");
}

#[tokio::test]
async fn row_c1_an_invalid_handshake_is_a_bad_request_and_calls_no_function() {
    let mut gateway = TestApi::with(CONNECT).start().await;
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
        assert_eq!(
            gateway.raw(request.as_bytes()).await.status,
            400,
            "{request}"
        );
        let expected = (400, "C1", format!("Bad handshake: {reason}"));
        assert_eq!(gateway.refusal().await, expected);
    }
    assert_eq!(
        gateway.raw(b"\x16\x03\x01 is TLS\r\n\r\n").await.status,
        400
    );
    let large = format!("GET /prod HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    assert_eq!(gateway.raw(large.as_bytes()).await.status, 431);
    assert_eq!(gateway.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_c1_the_response_to_another_protocol_version_names_the_supported_one() {
    let mut gateway = TestApi::with(CONNECT).start().await;
    let good = String::from_utf8(request("/prod", &[])).unwrap();
    let version = "Sec-WebSocket-Version: 13\r\n";
    for other in ["Sec-WebSocket-Version: 12\r\n", ""] {
        let refused = gateway
            .raw(good.replacen(version, other, 1).as_bytes())
            .await;
        assert_eq!(refused.status, 426, "{other}");
        assert_eq!(refused.header("sec-websocket-version"), Some("13"));
        assert_eq!(refused.header("upgrade"), Some("websocket"));
        assert_eq!(gateway.refusal().await.1, "C1");
    }
    assert_eq!(gateway.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_c4_http_1_0_has_no_upgrades() {
    let gateway = TestApi::with(CONNECT).start().await;
    let good = String::from_utf8(request("/prod", &[])).unwrap();
    let old = good.replacen("HTTP/1.1", "HTTP/1.0", 1);
    assert_eq!(gateway.raw(old.as_bytes()).await.status, 426);
    assert_eq!(gateway.functions.calls("connect"), 0);
}

#[tokio::test]
async fn a_foreign_host_is_refused_with_and_without_an_upgrade() {
    let mut gateway = TestApi::with(CONNECT).start().await;
    let good = String::from_utf8(request("/prod", &[])).unwrap();
    let rebound = good.replacen("Host: localhost", "Host: rebound.example", 1);
    assert_eq!(gateway.raw(rebound.as_bytes()).await.status, 403);
    insta::assert_snapshot!(gateway.refusal().await.2, @"Forbidden: the Host header names another machine; use 127.0.0.1 or localhost");
    for (host, status) in [
        ("Host: rebound.example\r\n", 403),
        ("Host: rebound.example\r\nHost: localhost\r\n", 400),
        ("", 400),
        ("Host: app.localhost:3000\r\n", 426),
    ] {
        let plain = format!("GET /prod HTTP/1.1\r\n{host}\r\n");
        assert_eq!(gateway.raw(plain.as_bytes()).await.status, status, "{host}");
    }
    assert_eq!(gateway.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_c1_a_message_sent_with_the_handshake_is_not_lost() {
    let gateway = TestApi::with(&["send"]).start().await;
    let mut request = request("/prod", &[]);
    request.extend(crate::support::Client::frame(0x81, br#"{"action":"send"}"#));
    assert_eq!(gateway.raw(&request).await.status, 101);
    assert_eq!(
        gateway.functions.event("send").await["body"],
        r#"{"action":"send"}"#
    );
}

#[tokio::test]
async fn row_c2_without_a_connect_route_all_handshakes_are_accepted() {
    let gateway = TestApi::with(&["send"]).start().await;
    gateway.connect().await;
    assert_eq!(gateway.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_c3_a_missing_stage_and_a_stage_without_a_deployment_are_forbidden() {
    let mut test_api = TestApi::with(CONNECT);
    test_api.deployed = false;
    let mut gateway = test_api.clone().start().await;
    let refused = gateway.handshake("/prod", &[]).await.unwrap_err();
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["message"], "Forbidden");
    assert_eq!(
        refused.header("x-amzn-errortype"),
        Some("ForbiddenException")
    );
    assert!(refused.header("x-amzn-requestid").is_some());
    let (status, row, reason) = gateway.refusal().await;
    assert_eq!(
        (status, row, reason.as_str()),
        (403, "C3", "stage `prod` has no deployment")
    );
    for target in ["/", "/dev", "/prod/deeper?x=1"] {
        assert_eq!(gateway.status(target, &[]).await, 403, "{target}");
    }
    test_api.deployed = true;
    test_api.serve(&gateway.plane);
    assert_eq!(gateway.status("/prod/", &[]).await, 101);
    assert_eq!(gateway.status("/prod/deeper", &[]).await, 403);
}

#[tokio::test]
async fn row_c4_plain_http_gets_upgrade_required() {
    let gateway = TestApi::with(CONNECT).start().await;
    let answer = gateway
        .raw(b"GET /prod HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    assert_eq!(answer.status, 426);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
}

#[tokio::test]
async fn row_c5_the_status_of_connect_is_the_status_of_the_handshake() {
    let mut gateway = TestApi::with(CONNECT).start().await;
    for status in [301, 400, 401, 403, 418, 501] {
        let reply = json!({"statusCode": status, "body": "secret", "headers": {"X-Secret": "x"}});
        gateway.functions.always("connect", Reply::Json(reply));
        let refused = gateway.handshake("/prod", &[]).await.unwrap_err();
        assert_eq!(refused.status, status);
        assert!(
            !String::from_utf8(refused.body.clone())
                .unwrap()
                .contains("secret")
        );
        assert_eq!(refused.header("x-secret"), None);
        assert_eq!(gateway.refusal().await.1, "C5");
    }
    gateway
        .functions
        .always("connect", Reply::Json(json!({"statusCode": "299"})));
    assert_eq!(gateway.status("/prod", &[]).await, 101);
}

#[tokio::test]
async fn row_c6_a_failing_function_or_a_malformed_response_is_a_bad_gateway() {
    let mut gateway = TestApi::with(CONNECT).start().await;
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
        gateway.functions.always("connect", reply.clone());
        assert_eq!(gateway.status("/prod", &[]).await, 502, "{reply:?}");
        let (_, row, reason) = gateway.refusal().await;
        assert_eq!(row, "C6");
        assert!(!reason.contains("database"), "{reason}");
    }
}

#[tokio::test]
async fn row_c7_an_integration_that_cannot_be_called_is_an_internal_error() {
    let mut gateway = TestApi::with(CONNECT).start().await;
    for kind in [
        InvokeErrorKind::AccessDenied,
        InvokeErrorKind::NotFound,
        InvokeErrorKind::TooManyRequests,
        InvokeErrorKind::Unrunnable,
    ] {
        gateway
            .functions
            .always("connect", Reply::Unreachable(kind));
        assert_eq!(gateway.status("/prod", &[]).await, 500);
        assert_eq!(gateway.refusal().await, (500, "C7", format!("{kind:?}")));
    }
    let (_, caller) = gateway.functions.call("connect").await;
    let source_arn =
        "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/$connect".to_owned();
    assert_eq!(caller, InvocationCaller::ApiGateway { source_arn });
}

#[tokio::test]
async fn row_c7_an_unknown_integration_is_reported() {
    let test_api = TestApi::with(CONNECT).change_integration("$connect", |it| {
        it.integration_type = "UNKNOWN".to_owned();
    });
    let mut gateway = test_api.clone().start().await;
    assert_eq!(gateway.status("/prod", &[]).await, 500);
    let (_, row, reason) = gateway.refusal().await;
    assert_eq!(row, "C7");
    insta::assert_snapshot!(reason, @"UNKNOWN is not a type of integration of WebSocket APIs");
    test_api
        .change_route("$connect", |it| it.target = None)
        .serve(&gateway.plane);
    assert_eq!(gateway.status("/prod", &[]).await, 500);
    assert_eq!(
        gateway.refusal().await.2,
        "route $connect has no integration"
    );
}

#[tokio::test]
async fn row_c8_a_slow_connect_function_is_a_gateway_timeout() {
    let test_api =
        TestApi::with(CONNECT).change_integration("$connect", |it| it.timeout_in_millis = 50);
    let mut gateway = test_api.start().await;
    gateway.functions.always("connect", Reply::Hang);
    assert_eq!(gateway.status("/prod", &[]).await, 504);
    assert_eq!(gateway.refusal().await.1, "C8");
    assert!(gateway.plane.connections.is_empty());
}

#[tokio::test]
async fn row_c9_only_the_subprotocol_of_the_answer_is_sent() {
    let gateway = TestApi::with(CONNECT).start().await;
    for headers in [
        json!({"headers": {"sec-websocket-PROTOCOL": "chat.v2", "Set-Cookie": "x"}, "body": "hello"}),
        json!({"multiValueHeaders": {"Sec-WebSocket-Protocol": ["chat.v2"]}}),
    ] {
        let mut reply = headers;
        reply["statusCode"] = json!(200);
        gateway.functions.always("connect", Reply::Json(reply));
        let offered = [("Sec-WebSocket-Protocol", "chat.v1, chat.v2")];
        let mut client = gateway.handshake("/prod", &offered).await.unwrap();
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
async fn row_c10_an_offered_subprotocol_is_not_echoed_automatically() {
    let gateway = TestApi::with(CONNECT).start().await;
    let client = gateway
        .handshake("/prod", &[("Sec-WebSocket-Protocol", "chat")])
        .await
        .unwrap();
    assert_eq!(client.answer.header("sec-websocket-protocol"), None);
}

#[tokio::test]
async fn row_c11_a_connection_cannot_be_found_before_it_is_accepted() {
    let gateway = TestApi::with(CONNECT).start().await;
    gateway
        .functions
        .always("connect", Reply::Held(json!({"statusCode": 200})));
    let (mut client, id) = tokio::join!(gateway.connect(), async {
        let id = id(&gateway.functions.event("connect").await);
        assert!(gateway.plane.connections.get(&id).is_none());
        gateway.functions.release(1);
        id
    });
    let connection = gateway.plane.connections.get(&id).unwrap();
    connection.post(Bytes::from_static(b"hello")).unwrap();
    assert_eq!(client.text().await, "hello");
    client.close(None).await;
    gateway.functions.event("disconnect").await;
    assert_eq!(connection.post(Bytes::new()), Err(PostError::Gone));
}

#[tokio::test]
async fn row_c1_a_client_that_vanishes_during_connect_causes_a_disconnect_if_it_is_accepted() {
    let mut gateway = TestApi::with(CONNECT).start().await;
    gateway
        .functions
        .always("connect", Reply::Held(json!({"statusCode": 200})));
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", gateway.port))
        .await
        .unwrap();
    let pending = crate::support::send(stream, request("/prod", &[])).await;
    let connecting = id(&gateway.functions.event("connect").await);
    drop(pending);
    gateway.functions.release(1);
    let event = gateway.functions.event("disconnect").await;
    assert_eq!(id(&event), connecting);
    assert_eq!(event["requestContext"]["disconnectStatusCode"], 1006);
    assert_eq!(gateway.closed().await.0, 1006);
    assert!(gateway.plane.connections.is_empty());
}

#[tokio::test]
async fn a_mock_integration_accepts_or_refuses_by_its_template() {
    let mock = |template: &str| {
        TestApi::with(CONNECT).change_integration("$connect", |it| {
            it.integration_type = "MOCK".to_owned();
            it.template_selection_expression = Some("200".to_owned());
            it.request_templates
                .insert("200".to_owned(), template.to_owned());
        })
    };
    let gateway = mock(r#"{"statusCode":200}"#).start().await;
    gateway.connect().await;
    mock(r#"{"statusCode": 403}"#).serve(&gateway.plane);
    assert_eq!(gateway.status("/prod", &[]).await, 403);
    mock("nothing").serve(&gateway.plane);
    assert_eq!(gateway.status("/prod", &[]).await, 500);
}

#[tokio::test]
async fn row_d18_a_rate_limit_of_zero_refuses_every_handshake() {
    let mut gateway = TestApi::with(CONNECT).throttle(None, 0, 0.0).start().await;
    let refused = gateway.handshake("/prod", &[]).await.unwrap_err();
    assert_eq!(
        (refused.status, refused.json()["message"].as_str()),
        (429, Some("Too Many Requests"))
    );
    assert_eq!(gateway.refusal().await.1, "D18");
    assert_eq!(gateway.functions.calls("connect"), 0);
}

#[tokio::test]
async fn row_m9_a_required_parameter_that_is_missing_is_a_bad_request() {
    let test_api = TestApi::with(CONNECT)
        .requires("route.request.querystring.room")
        .requires("route.request.header.X-Client");
    let mut gateway = test_api.start().await;
    let refused = gateway.handshake("/prod?room=", &[]).await.unwrap_err();
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.json()["message"],
        "Missing required request parameters: [room, X-Client]"
    );
    assert_eq!(gateway.refusal().await.1, "M9");
    assert_eq!(
        gateway.status("/prod?room=1", &[("x-client", "me")]).await,
        101
    );
}
