//! What events show of handshakes and messages.

use serde_json::{Value, json};
use stackgen_gateway_common::Event;

use crate::support::{Reply, TestApi, TestGateway};

/// Waits for the next event of a kind, as JSON.
async fn event(gateway: &mut TestGateway, kind: &str) -> Value {
    let json = |event: &Event| serde_json::to_value(event).unwrap();
    gateway
        .event(|event| Some(json(event)).filter(|event| event["event"] == kind))
        .await
}

#[tokio::test]
async fn a_refusal_shows_request_and_authorizer_with_masked_credentials() {
    let test_api = TestApi::with(&["$connect"]).authorizer(&[]);
    let mut gateway = test_api.start().await;
    let output = json!({
        "principalId": "mallory",
        "policyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "*"},
        ]},
        "context": {"plan": "free"},
    });
    gateway
        .functions
        .always("authorize", Reply::Json(output.clone()));
    let headers = [
        ("Authorization", "Bearer t0ken-of-mallory"),
        ("X-Room", "7"),
    ];
    let status = gateway
        .status("/prod?room=7&token=t0ken-of-mallory", &headers)
        .await;
    assert_eq!(status, 403);
    let refused = event(&mut gateway, "refused").await;
    let handshake = &refused["handshake"];
    assert_eq!(handshake["path"], "/prod");
    assert_eq!(
        handshake["query"],
        json!([{"name": "room", "value": "7"}, {"name": "token", "value": "****"}])
    );
    let headers = handshake["headers"].as_array().unwrap();
    for (name, value) in [("Authorization", "****"), ("X-Room", "7")] {
        assert!(
            headers.contains(&json!({"name": name, "value": value})),
            "{headers:?}"
        );
    }
    let authorizer = &handshake["authorizer"];
    assert_eq!(authorizer["function"], "authorize");
    assert_eq!(authorizer["version"], "$LATEST");
    assert_eq!(authorizer["output"], output);
    let event = &authorizer["event"];
    assert_eq!(event["headers"]["Authorization"], "****");
    assert_eq!(event["queryStringParameters"]["token"], "****");
    assert_eq!(event["queryStringParameters"]["room"], "7");
    assert_eq!(handshake["connect"], Value::Null, "it was not called");
    // No ID can contain it by chance.
    assert!(!refused.to_string().contains("t0ken-of-mallory"));
}

#[tokio::test]
async fn an_accepted_handshake_shows_the_function_of_connect() {
    let mut gateway = TestApi::with(&["$connect"]).start().await;
    let _client = gateway.connect().await;
    let connected = event(&mut gateway, "connected").await;
    let connect = &connected["handshake"]["connect"];
    assert_eq!(connect["function"], "connect");
    assert_eq!(connect["failed"], false);
    assert_eq!(connected["handshake"]["authorizer"], Value::Null);
}

#[tokio::test]
async fn a_message_shows_its_frames_and_its_function() {
    let mut gateway = TestApi::with(&["send"]).two_way("send").start().await;
    let answer = json!({"statusCode": 200, "body": "pong"});
    gateway.functions.always("send", Reply::Json(answer));
    let mut client = gateway.connect().await;
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl";
    client
        .send(&format!(r#"{{"action":"send","as":"{token}"}}"#))
        .await;
    assert_eq!(client.text().await, "pong");
    let message = event(&mut gateway, "message").await;
    assert_eq!(message["body"], r#"{"action":"send","as":"****"}"#);
    assert_eq!(message["answer"], "pong");
    assert_eq!(message["call"]["function"], "send");
    assert_eq!(message["call"]["version"], "$LATEST");
    client.send("no route").await;
    let frame = client.text().await;
    let message = event(&mut gateway, "message").await;
    assert_eq!(message["answer"], frame, "the error frame");
    assert_eq!(message["call"], Value::Null);
}

#[tokio::test]
async fn a_disconnect_function_that_succeeds_is_an_event() {
    let mut gateway = TestApi::with(&["$disconnect"]).start().await;
    let mut client = gateway.connect().await;
    client.close(None).await;
    let disconnected = event(&mut gateway, "disconnected").await;
    assert_eq!(disconnected["call"]["function"], "disconnect");
}
