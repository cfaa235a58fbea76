//! Messages (rows M1 to M9 and M19).

use std::sync::Arc;

use serde_json::{Value, json};
use stackgen_gateway_common::invoke::{InvocationCaller, InvokeErrorKind};
use stackgen_gateway_common::{Event, MessageOutcome};

use crate::support::{Client, Functions, Reply, TestApi, TestGateway};

/// Checks that an error frame has the same form as API Gateway's, and returns its message.
fn error(frame: &str) -> String {
    let parsed: Value = serde_json::from_str(frame).unwrap();
    let text = |key: &str| parsed[key].as_str().unwrap().to_owned();
    let (message, connection, request) = (text("message"), text("connectionId"), text("requestId"));
    let expected = format!(
        r#"{{"message": "{message}", "connectionId":"{connection}", "requestId":"{request}"}}"#
    );
    assert_eq!(frame, expected);
    message
}

async fn answer(client: &mut Client, message: &str) -> String {
    client.send(message).await;
    client.text().await
}

/// Waits for the next error frame, and returns its row and reason.
async fn reason(gateway: &mut TestGateway) -> (&'static str, String) {
    gateway
        .event(|event| match event {
            Event::Message {
                outcome: MessageOutcome::Error { row, reason, .. },
                ..
            } => Some((*row, reason.clone())),
            _ => None,
        })
        .await
}

/// Checks that nothing waits for the client: the pong comes first.
async fn expect_no_message(gateway: &mut TestGateway, client: &mut Client) {
    gateway
        .event(|event| match event {
            Event::Message { outcome, .. } => Some(outcome.clone()),
            _ => None,
        })
        .await;
    client
        .send_message(tokio_tungstenite::tungstenite::Message::Ping("p".into()))
        .await;
    let next = client.next().await.unwrap();
    assert!(next.is_pong(), "{next:?}");
}

#[tokio::test]
async fn row_m1_the_selection_expression_selects_the_route() {
    let routes = &["send", "a/7", "true", "hello"];
    let test_api = TestApi::with(routes);
    let gateway = test_api.clone().start().await;
    let mut client = gateway.connect().await;
    client.send(r#"{"action":"send"}"#).await;
    gateway.functions.event("send").await;
    for (expression, message, route) in [
        (
            "${request.body.x.y}/${request.body.n}",
            r#"{"x":{"y":"a"},"n":7}"#,
            "a/7",
        ),
        ("$request.body.flag", r#"{"flag":true}"#, "true"),
        ("hello", "anything", "hello"),
    ] {
        let test_api = test_api.clone();
        let changed =
            test_api.change_api(|it| it.route_selection_expression = expression.to_owned());
        changed.serve(&gateway.plane);
        client.send(message).await;
        assert_eq!(gateway.functions.event(route).await["body"], message);
    }
}

#[tokio::test]
async fn row_m2_a_message_without_a_matching_route_goes_to_default() {
    let gateway = TestApi::with(&["$connect", "$default", "$disconnect"])
        .start()
        .await;
    let mut client = gateway.connect().await;
    for message in [
        "hello",
        "",
        "[1]",
        "{}",
        r#"{"action":null}"#,
        r#"{"action":"unknown"}"#,
        r#"{"action":"$default"}"#,
        r#"{"action":"$connect"}"#,
        r#"{"action":"$disconnect"}"#,
    ] {
        client.send(message).await;
        let event = gateway.functions.event("default").await;
        assert_eq!(event["body"], message);
        assert_eq!(event["requestContext"]["routeKey"], "$default");
    }
    assert_eq!(gateway.functions.calls("disconnect"), 0);
}

#[tokio::test]
async fn row_m3_an_unknown_action_gets_forbidden_and_the_socket_stays_open() {
    let mut gateway = TestApi::with(&["$connect", "send"]).start().await;
    let mut client = gateway.connect().await;
    let connection = gateway.functions.event("connect").await;
    for message in ["hello", r#"{"action":"ping"}"#, r#"{"action":"$connect"}"#] {
        let frame = answer(&mut client, message).await;
        assert_eq!(error(&frame), "Forbidden");
        assert_eq!(
            serde_json::from_str::<Value>(&frame).unwrap()["connectionId"],
            connection["requestContext"]["connectionId"]
        );
        assert_eq!(reason(&mut gateway).await.0, "M3");
    }
    answer(&mut client, r#"{"action":"ping"}"#).await;
    insta::assert_snapshot!(reason(&mut gateway).await.1, @"$request.body.action is `ping`: no such route in the deployment, and no $default");
    client.send(r#"{"action":"send"}"#).await;
    gateway.functions.event("send").await;
}

#[tokio::test]
async fn row_m3_a_newly_deployed_route_serves_open_connections() {
    let gateway = TestApi::with(&["send"]).start().await;
    let mut client = gateway.connect().await;
    assert_eq!(
        error(&answer(&mut client, r#"{"action":"ping"}"#).await),
        "Forbidden"
    );
    TestApi::with(&["send", "ping"]).serve(&gateway.plane);
    client.send(r#"{"action":"ping"}"#).await;
    gateway.functions.event("ping").await;
    let mut gone = TestApi::with(&["ping"]);
    gone.deployed = false;
    gone.serve(&gateway.plane);
    assert_eq!(
        error(&answer(&mut client, r#"{"action":"ping"}"#).await),
        "Forbidden"
    );
}

#[tokio::test]
async fn row_m4_a_failing_function_causes_an_internal_error_even_on_one_way_routes() {
    let mut gateway = TestApi::with(&["send"]).start().await;
    gateway
        .functions
        .always("send", Reply::Throw("out of cheese"));
    let mut client = gateway.connect().await;
    let frame = answer(&mut client, r#"{"action":"send"}"#).await;
    assert_eq!(error(&frame), "Internal server error");
    let reason = reason(&mut gateway).await;
    assert_eq!(reason, ("M4", "the function failed with Error".to_owned()));
    client.ping().await;
}

#[tokio::test]
async fn row_m4_a_function_that_cannot_be_called_causes_an_internal_error() {
    let test_api = TestApi::with(&["send"]);
    let mut gateway = test_api.clone().start().await;
    let mut client = gateway.connect().await;
    for kind in [InvokeErrorKind::AccessDenied, InvokeErrorKind::NotFound] {
        gateway.functions.always("send", Reply::Unreachable(kind));
        let frame = answer(&mut client, r#"{"action":"send"}"#).await;
        assert_eq!(error(&frame), "Internal server error");
        assert_eq!(reason(&mut gateway).await, ("C7", format!("{kind:?}")));
    }
    let role = "arn:aws:iam::000000000000:role/invoke";
    test_api
        .change_integration("send", |it| it.credentials_arn = Some(role.to_owned()))
        .serve(&gateway.plane);
    gateway.functions.call("send").await;
    gateway.functions.call("send").await;
    answer(&mut client, r#"{"action":"send"}"#).await;
    assert_eq!(
        gateway.functions.call("send").await.1,
        InvocationCaller::Role(role.to_owned())
    );
}

#[tokio::test]
async fn row_m5_a_slow_function_times_out_and_the_next_message_is_handled() {
    let test_api =
        TestApi::with(&["send"]).change_integration("send", |it| it.timeout_in_millis = 50);
    let mut gateway = test_api.start().await;
    gateway
        .functions
        .on("send", |event| match event["body"].as_str() {
            Some(body) if body.contains("hang") => Reply::Hang,
            _ => Reply::Throw("x"),
        });
    let mut client = gateway.connect().await;
    client.send(r#"{"action":"send","do":"hang"}"#).await;
    client.send(r#"{"action":"send"}"#).await;
    assert_eq!(error(&client.text().await), "Endpoint request timed out");
    assert_eq!(error(&client.text().await), "Internal server error");
    assert_eq!(reason(&mut gateway).await.0, "M5");
}

#[tokio::test]
async fn row_m6_a_message_that_does_not_match_its_model_is_a_bad_request_body() {
    let schema = r##"{"$schema":"http://json-schema.org/draft-04/schema#","type":"object",
        "required":["text"],"properties":{"text":{"type":"string"},"n":{"maximum":3,"exclusiveMaximum":true}}}"##;
    let test_api = TestApi::with(&["send", "$default"]).model("send", schema);
    let mut gateway = test_api.clone().start().await;
    let mut client = gateway.connect().await;
    for message in [
        r#"{"action":"send"}"#,
        r#"{"action":"send","text":7}"#,
        r#"{"action":"send","text":"x","n":3}"#,
    ] {
        assert_eq!(
            error(&answer(&mut client, message).await),
            "Bad request body"
        );
        assert_eq!(reason(&mut gateway).await.0, "M6");
    }
    assert_eq!(gateway.functions.calls("send"), 0);
    client.send(r#"{"action":"send","text":"x","n":2}"#).await;
    gateway.functions.event("send").await;
    client.send("no JSON, no model").await;
    gateway.functions.event("default").await;
    let lenient = test_api
        .clone()
        .change_api(|it| it.disable_schema_validation = true);
    lenient.serve(&gateway.plane);
    assert_eq!(
        error(&answer(&mut client, r#"{"action":"send"}"#).await),
        "Bad request body"
    );
    let unselected = test_api
        .clone()
        .change_route("send", |it| it.model_selection_expression = None);
    unselected.serve(&gateway.plane);
    client.send(r#"{"action":"send"}"#).await;
    gateway.functions.event("send").await;
    test_api.model("send", "{").serve(&gateway.plane);
    assert_eq!(
        error(&answer(&mut client, r#"{"action":"send"}"#).await),
        "Bad request body"
    );
}

#[tokio::test]
async fn row_m6_the_model_selection_expression_selects_the_model() {
    let test_api = TestApi::with(&["send"]).model("send", r#"{"required":["text"]}"#);
    let test_api = test_api.change_route("send", |it| {
        it.model_selection_expression = Some("$request.body.kind".to_owned());
        it.request_models = [("strict".to_owned(), "Message".to_owned())]
            .into_iter()
            .collect();
    });
    let gateway = test_api.start().await;
    let mut client = gateway.connect().await;
    for refused in [
        r#"{"action":"send","kind":"strict"}"#,
        r#"{"action":"send","kind":"loose","text":"x"}"#,
    ] {
        let frame = answer(&mut client, refused).await;
        assert_eq!(error(&frame), "Bad request body", "{refused}");
    }
    client
        .send(r#"{"action":"send","kind":"strict","text":"x"}"#)
        .await;
    gateway.functions.event("send").await;
}

#[tokio::test]
async fn row_m7_a_one_way_route_never_answers() {
    let mut gateway = TestApi::with(&["send"]).start().await;
    let mut client = gateway.connect().await;
    for reply in [
        Reply::Json(json!({"statusCode": 200, "body": "hello"})),
        Reply::Json(json!({"statusCode": 500, "body": "hello"})),
        Reply::Json(json!({})),
        Reply::Json(json!(null)),
    ] {
        gateway.functions.always("send", reply);
        client.send(r#"{"action":"send"}"#).await;
        expect_no_message(&mut gateway, &mut client).await;
    }
}

#[tokio::test]
async fn row_m7_a_malformed_response_gets_an_error_frame_even_on_one_way_routes() {
    let mut gateway = TestApi::with(&["send"]).start().await;
    let mut client = gateway.connect().await;
    for reply in [
        Reply::Json(json!("text")),
        Reply::Json(json!({"statusCode": 200, "connectionId": "x"})),
        Reply::Bytes(b"{".to_vec()),
    ] {
        gateway.functions.always("send", reply);
        let frame = answer(&mut client, r#"{"action":"send"}"#).await;
        assert_eq!(error(&frame), "Internal server error");
        assert_eq!(reason(&mut gateway).await.0, "M7");
    }
}

#[tokio::test]
async fn row_m7_a_status_that_the_client_does_not_see_is_a_failure_with_its_log() {
    let mut gateway = TestApi::with(&["send"]).start().await;
    let reply = json!({"statusCode": 500});
    gateway.functions.always("send", Reply::Json(reply));
    gateway
        .functions
        .log("send", &["START RequestId: 1", "cannot read table"]);
    let mut client = gateway.connect().await;
    client.send(r#"{"action":"send"}"#).await;
    let (outcome, evidence, connection) = gateway
        .event(|event| match event {
            Event::Message {
                outcome,
                evidence,
                connection,
                ..
            } => Some((outcome.clone(), evidence.clone(), connection.clone())),
            _ => None,
        })
        .await;
    let failed = MessageOutcome::Failed {
        status: 500,
        bytes: None,
    };
    assert_eq!(outcome, failed);
    assert_eq!(evidence.unwrap().log, ["cannot read table"]);
    let found = gateway.plane.failures.find(connection.as_str());
    assert_eq!((found[0].status, found[0].row.as_str()), (500, "M7"));
    assert_eq!(found[0].log, ["cannot read table"]);
    assert_eq!(found[0].function.as_deref(), Some("send"));
}

#[tokio::test]
async fn row_m8_a_two_way_route_sends_the_body_back() {
    let mut gateway = TestApi::with(&["send"]).two_way("send").start().await;
    let mut client = gateway.connect().await;
    for (reply, expected) in [
        (
            json!({"statusCode": 200, "body": "hello \u{e4}\""}),
            "hello \u{e4}\"",
        ),
        (json!({"statusCode": 500, "body": "{\"n\":1}"}), "{\"n\":1}"),
        (json!({"body": ""}), ""),
    ] {
        gateway.functions.always("send", Reply::Json(reply));
        assert_eq!(answer(&mut client, r#"{"action":"send"}"#).await, expected);
    }
    for reply in [
        json!({"statusCode": 200}),
        json!({"statusCode": 200, "body": null}),
        json!(null),
    ] {
        gateway.functions.always("send", Reply::Json(reply));
        client.send(r#"{"action":"send"}"#).await;
        loop {
            let outcome = gateway
                .event(|event| match event {
                    Event::Message { outcome, .. } => Some(outcome.clone()),
                    _ => None,
                })
                .await;
            if outcome == MessageOutcome::Taken {
                break;
            }
        }
    }
    client.ping().await;
    let large = "x".repeat(128 * 1024 + 1);
    for (reply, row) in [
        (json!("text"), "M7"),
        (json!({"body": {"n": 1}}), "M7"),
        (json!({ "body": large }), "M8"),
    ] {
        gateway.functions.always("send", Reply::Json(reply));
        let frame = answer(&mut client, r#"{"action":"send"}"#).await;
        assert_eq!(error(&frame), "Internal server error");
        assert_eq!(reason(&mut gateway).await.0, row);
    }
}

#[tokio::test]
async fn row_m8_a_route_response_makes_a_route_two_way_and_the_expression_alone_does_not() {
    let reply = Reply::Json(json!({"statusCode": 200, "body": "hello"}));
    let expression = TestApi::with(&["send"]).change_route("send", |it| {
        it.route_response_selection_expression = Some("$default".to_owned());
    });
    let mut gateway = expression.start().await;
    gateway.functions.always("send", reply.clone());
    let mut client = gateway.connect().await;
    client.send(r#"{"action":"send"}"#).await;
    expect_no_message(&mut gateway, &mut client).await;

    let response = TestApi::with(&["send"]).route_response("send");
    let gateway = response.start().await;
    gateway.functions.always("send", reply);
    let mut client = gateway.connect().await;
    assert_eq!(answer(&mut client, r#"{"action":"send"}"#).await, "hello");
}

#[tokio::test]
async fn row_m10_base64_text_is_marked_with_convert_to_binary() {
    let test_api = TestApi::with(&["$default"]).change_integration("$default", |it| {
        it.content_handling_strategy = Some("CONVERT_TO_BINARY".to_owned());
    });
    let gateway = test_api.start().await;
    let mut client = gateway.connect().await;
    for (message, marked) in [("aGVsbG8=", true), ("hello there", false)] {
        client.send(message).await;
        let event = gateway.functions.event("default").await;
        assert_eq!(
            (event["body"].as_str(), &event["isBase64Encoded"]),
            (Some(message), &json!(marked))
        );
    }
}

#[tokio::test]
async fn row_m19_a_throttled_message_gets_too_many_requests() {
    let mut gateway = TestApi::with(&["send", "other"])
        .throttle(Some("send"), 1, 0.001)
        .start()
        .await;
    let mut client = gateway.connect().await;
    client.send(r#"{"action":"send"}"#).await;
    gateway.functions.event("send").await;
    let frame = answer(&mut client, r#"{"action":"send"}"#).await;
    assert_eq!(error(&frame), "Too Many Requests");
    assert_eq!(reason(&mut gateway).await.0, "M19");
    client.send(r#"{"action":"other"}"#).await;
    gateway.functions.event("other").await;
}

#[tokio::test]
async fn a_mock_integration_answers_two_way_routes_with_its_response_template() {
    let mock = TestApi::with(&["send"]).change_integration("send", |it| {
        it.integration_type = "MOCK".to_owned();
        it.request_templates
            .insert("$default".to_owned(), r#"{"statusCode":200}"#.to_owned());
    });
    let mut gateway = mock.clone().start().await;
    let mut client = gateway.connect().await;
    client.send(r#"{"action":"send"}"#).await;
    expect_no_message(&mut gateway, &mut client).await;
    mock.two_way("send")
        .integration_response("send", r#"{"route":"$context.routeKey"}"#)
        .serve(&gateway.plane);
    assert_eq!(
        answer(&mut client, r#"{"action":"send"}"#).await,
        r#"{"route":"send"}"#
    );
}

async fn numbers(functions: &Arc<Functions>, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    for _ in 0..count {
        let event = functions.event("default").await;
        bodies.push(event["body"].as_str().unwrap().to_owned());
    }
    bodies
}

#[tokio::test]
async fn messages_of_a_connection_are_handled_in_order() {
    let gateway = TestApi::with(&["$default"])
        .two_way("$default")
        .start()
        .await;
    gateway.functions.on("default", |event| {
        Reply::Json(json!({"body": event["body"]}))
    });
    let mut client = gateway.connect().await;
    let sent: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    for message in &sent {
        client.send(message).await;
    }
    for message in &sent {
        assert_eq!(&client.text().await, message);
    }
    assert_eq!(numbers(&gateway.functions, 200).await, sent);
}

#[tokio::test]
async fn messages_are_handled_concurrently_if_the_settings_allow_it() {
    for (at_a_time, called) in [(1, 1), (3, 3)] {
        let test_api = TestApi::with(&["$default"]);
        let gateway = test_api
            .start_with(|it| it.limits.messages_at_a_time = at_a_time)
            .await;
        gateway.functions.always("default", Reply::Held(json!({})));
        let mut client = gateway.connect().await;
        for n in 0..5 {
            client.send(n.to_string()).await;
        }
        client.ping().await;
        numbers(&gateway.functions, called).await;
        assert_eq!(gateway.functions.calls("default"), 0);
        gateway.functions.release(5);
        numbers(&gateway.functions, 5 - called).await;
    }
}
