//! Events (rows E0 to E4) and their access logs (row L1).

use serde_json::{Value, json};

use crate::support::{Reply, TestApi, TestGateway};

const ROUTES: &[&str] = &["$connect", "$default", "$disconnect"];

/// Checks the form of values that differ between runs, and replaces them in the event. Returns the original context.
fn settle(gateway: &TestGateway, event: &mut Value) -> Value {
    let port = gateway.port;
    let context = event["requestContext"].as_object_mut().unwrap();
    let taken = context.clone();
    for (key, form) in [
        ("requestId", "id"),
        ("extendedRequestId", "id"),
        ("connectionId", "id"),
        ("messageId", "id"),
        ("requestTime", "time"),
        ("requestTimeEpoch", "millis"),
        ("connectedAt", "millis"),
        ("domainName", "domain"),
    ] {
        let Some(value) = context.get_mut(key) else {
            continue;
        };
        match form {
            "id" => {
                let id = value.as_str().unwrap();
                assert!(id.len() == 16 && id.ends_with('='), "{id}");
            }
            "time" => {
                let time = value.as_str().unwrap();
                assert!(time.len() == 26 && time.ends_with(" +0000"), "{time}");
            }
            "millis" => assert!(value.as_u64().unwrap() > 1_700_000_000_000),
            _ => assert_eq!(value, &json!(format!("127.0.0.1:{port}"))),
        }
        *value = json!(form);
    }
    assert_eq!(taken["requestId"], taken["extendedRequestId"]);
    Value::Object(taken)
}

/// Formats an event without the multi-value maps, which must agree with the others.
fn pretty(mut event: Value) -> String {
    let members = event.as_object_mut().unwrap();
    for (single, multi) in [
        ("headers", "multiValueHeaders"),
        ("queryStringParameters", "multiValueQueryStringParameters"),
    ] {
        assert_eq!(members.contains_key(single), members.contains_key(multi));
        let Some(Value::Object(multi)) = members.shift_remove(multi) else {
            continue;
        };
        let last = multi.iter().map(|(name, values)| {
            (
                name.clone(),
                values.as_array().unwrap().last().unwrap().clone(),
            )
        });
        assert_eq!(Value::Object(last.collect()), members[single]);
    }
    if let Some(port) = event.pointer_mut("/headers/X-Forwarded-Port") {
        *port = json!("port");
    }
    serde_json::to_string_pretty(&event).unwrap()
}

const TRACE: &str = "Root=1-65c66edf-000000000000000000000000";

#[tokio::test]
async fn rows_e0_and_e1_a_connect_event() {
    let gateway = TestApi::with(ROUTES).start().await;
    let headers = [
        ("ORIGIN", "https://example.com"),
        ("user-Agent", "me/1.0"),
        ("X-Two", "a"),
        ("x-two", "b"),
        ("X-Amzn-Trace-Id", TRACE),
    ];
    let target = "/prod?room=a%20b&room=c+d&empty=&flag&%C3%A4=1";
    gateway.handshake(target, &headers).await.unwrap();
    let mut event = gateway.functions.event("connect").await;
    settle(&gateway, &mut event);
    assert_eq!(
        event["headers"]["X-Forwarded-Port"],
        gateway.port.to_string()
    );
    assert_eq!(event["multiValueHeaders"]["X-Two"], json!(["a", "b"]));
    let rooms = &event["multiValueQueryStringParameters"]["room"];
    assert_eq!(rooms, &json!(["a b", "c d"]));
    insta::assert_snapshot!(pretty(event), @r#"
    {
      "headers": {
        "Host": "localhost",
        "ORIGIN": "https://example.com",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "user-Agent": "me/1.0",
        "X-Amzn-Trace-Id": "Root=1-65c66edf-000000000000000000000000",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "port",
        "X-Forwarded-Proto": "http",
        "X-Two": "b"
      },
      "queryStringParameters": {
        "room": "c d",
        "empty": "",
        "flag": "",
        "ä": "1"
      },
      "requestContext": {
        "routeKey": "$connect",
        "eventType": "CONNECT",
        "extendedRequestId": "id",
        "requestTime": "time",
        "messageDirection": "IN",
        "stage": "prod",
        "connectedAt": "millis",
        "requestTimeEpoch": "millis",
        "identity": {
          "userAgent": "me/1.0",
          "sourceIp": "127.0.0.1"
        },
        "requestId": "id",
        "domainName": "domain",
        "connectionId": "id",
        "apiId": "a1b2c3d4e5"
      },
      "isBase64Encoded": false
    }
    "#);
}

#[tokio::test]
async fn row_e1_missing_query_and_stage_variables_have_no_keys() {
    let gateway = TestApi::with(ROUTES).start().await;
    gateway.connect().await;
    let event = gateway.functions.event("connect").await;
    let keys: Vec<&str> = event
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "headers",
            "multiValueHeaders",
            "requestContext",
            "isBase64Encoded"
        ]
    );
    let trace = event["headers"]["X-Amzn-Trace-Id"].as_str().unwrap();
    assert!(trace.starts_with("Root=1-"), "{trace}");
    for hop in ["Connection", "Upgrade"] {
        assert_eq!(event["headers"].get(hop), None);
    }
    TestApi::with(ROUTES)
        .change_stage(|it| {
            drop(
                it.stage_variables
                    .insert("tenant".to_owned(), "acme".to_owned()),
            )
        })
        .serve(&gateway.plane);
    gateway.connect().await;
    let event = gateway.functions.event("connect").await;
    assert_eq!(event["stageVariables"], json!({"tenant": "acme"}));
}

#[tokio::test]
async fn rows_e0_and_e2_a_message_event() {
    let gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway
        .handshake("/prod?x=1", &[("User-Agent", "me/1.0")])
        .await
        .unwrap();
    client.send("{\"text\": \"h\u{e4}llo\"}").await;
    let connected = gateway.functions.event("connect").await;
    let mut event = gateway.functions.event("default").await;
    let context = settle(&gateway, &mut event);
    for key in ["connectionId", "connectedAt", "domainName"] {
        assert_eq!(context[key], connected["requestContext"][key]);
    }
    assert_ne!(
        context["requestId"],
        connected["requestContext"]["requestId"]
    );
    insta::assert_snapshot!(pretty(event), @r#"
    {
      "requestContext": {
        "routeKey": "$default",
        "messageId": "id",
        "eventType": "MESSAGE",
        "extendedRequestId": "id",
        "requestTime": "time",
        "messageDirection": "IN",
        "stage": "prod",
        "connectedAt": "millis",
        "requestTimeEpoch": "millis",
        "identity": {
          "userAgent": "me/1.0",
          "sourceIp": "127.0.0.1"
        },
        "requestId": "id",
        "domainName": "domain",
        "connectionId": "id",
        "apiId": "a1b2c3d4e5"
      },
      "body": "{\"text\": \"hällo\"}",
      "isBase64Encoded": false
    }
    "#);
}

#[tokio::test]
async fn rows_e0_and_e3_a_disconnect_event() {
    let gateway = TestApi::with(ROUTES).start().await;
    let mut client = gateway.connect().await;
    client.close(None).await;
    let mut event = gateway.functions.event("disconnect").await;
    settle(&gateway, &mut event);
    let domain = format!("127.0.0.1:{}", gateway.port);
    assert_eq!(event["headers"]["Host"], domain);
    event["headers"]["Host"] = json!("domain");
    event["multiValueHeaders"]["Host"] = json!(["domain"]);
    insta::assert_snapshot!(pretty(event), @r#"
    {
      "headers": {
        "Host": "domain",
        "x-api-key": "",
        "X-Forwarded-For": "",
        "x-restapi": ""
      },
      "requestContext": {
        "routeKey": "$disconnect",
        "disconnectStatusCode": 1005,
        "eventType": "DISCONNECT",
        "extendedRequestId": "id",
        "requestTime": "time",
        "messageDirection": "IN",
        "disconnectReason": "Client-side close frame status not set",
        "stage": "prod",
        "connectedAt": "millis",
        "requestTimeEpoch": "millis",
        "identity": {
          "sourceIp": "127.0.0.1"
        },
        "requestId": "id",
        "domainName": "domain",
        "connectionId": "id",
        "apiId": "a1b2c3d4e5"
      },
      "isBase64Encoded": false
    }
    "#);
}

#[tokio::test]
async fn rows_e0_and_e4_an_authorizer_event() {
    let gateway = TestApi::with(ROUTES).authorizer(&[]).start().await;
    let headers = [(
        "X-Amzn-Trace-Id",
        "Root=1-65c66edf-000000000000000000000000",
    )];
    gateway.status("/prod?token=t&token=u", &headers).await;
    let mut event = gateway.functions.event("authorize").await;
    settle(&gateway, &mut event);
    insta::assert_snapshot!(pretty(event), @r#"
    {
      "type": "REQUEST",
      "methodArn": "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/prod/$connect",
      "headers": {
        "Connection": "upgrade",
        "content-length": "0",
        "Host": "localhost",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Upgrade": "websocket",
        "X-Amzn-Trace-Id": "Root=1-65c66edf-000000000000000000000000",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Port": "port",
        "X-Forwarded-Proto": "http"
      },
      "queryStringParameters": {
        "token": "u"
      },
      "stageVariables": {},
      "requestContext": {
        "routeKey": "$connect",
        "eventType": "CONNECT",
        "extendedRequestId": "id",
        "requestTime": "time",
        "messageDirection": "IN",
        "stage": "prod",
        "connectedAt": "millis",
        "requestTimeEpoch": "millis",
        "identity": {
          "sourceIp": "127.0.0.1"
        },
        "requestId": "id",
        "domainName": "domain",
        "connectionId": "id",
        "apiId": "a1b2c3d4e5"
      }
    }
    "#);
    gateway.status("/prod", &headers).await;
    let event = gateway.functions.event("authorize").await;
    for key in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "stageVariables",
    ] {
        assert_eq!(event[key], json!({}));
    }
}

#[tokio::test]
async fn row_l1_handshakes_messages_and_disconnects_are_logged() {
    let format = "$context.eventType $context.routeKey $context.status $context.error.messageString $context.authorizer.principalId";
    let mut gateway = TestApi::with(&["$connect", "send"])
        .access_log(format)
        .start()
        .await;
    let mut client = gateway.connect().await;
    assert_eq!(gateway.line().await, "access: CONNECT $connect 200 - -");
    client.send("hello").await;
    assert_eq!(
        gateway.line().await,
        "access: MESSAGE - 403 \"Forbidden\" -"
    );
    client.send(r#"{"action":"send"}"#).await;
    assert_eq!(gateway.line().await, "access: MESSAGE send 200 - -");
    client.close(None).await;
    assert_eq!(
        gateway.line().await,
        "access: DISCONNECT $disconnect 200 - -"
    );
    gateway.functions.always("connect", Reply::Throw("x"));
    gateway.status("/prod", &[]).await;
    assert_eq!(
        gateway.line().await,
        "access: CONNECT $connect 502 \"Internal server error\" -"
    );
}
