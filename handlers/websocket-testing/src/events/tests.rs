use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayWebsocketProxyRequest};

use super::*;

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

/// Fields of the request context (row E0).
const CONTEXT: [&str; 13] = [
    "apiId",
    "connectedAt",
    "connectionId",
    "domainName",
    "eventType",
    "extendedRequestId",
    "identity",
    "messageDirection",
    "requestId",
    "requestTime",
    "requestTimeEpoch",
    "routeKey",
    "stage",
];

fn socket() -> Socket {
    Socket::new("L0SM9cOFvHcCIhw=")
}

#[test]
fn e0_every_event_has_the_common_context() {
    let event = socket().connect(&[], &[]);
    let context = &event["requestContext"];
    assert_eq!(keys(context), CONTEXT);
    assert_eq!(context["requestId"], context["extendedRequestId"]);
    assert_eq!(context["requestTime"], "09/Feb/2024:18:11:43 +0000");
    assert_eq!(context["requestTimeEpoch"], 1_707_502_303_419_u64);
    assert_eq!(context["connectionId"], "L0SM9cOFvHcCIhw=");
    assert_eq!(
        context["identity"],
        json!({"sourceIp": "192.0.2.1", "userAgent": "Mozilla/5.0"})
    );
}

#[test]
fn e1_connect_has_headers_and_a_query_only_if_there_is_one() {
    let bare = socket().connect(&[], &[]);
    assert_eq!(
        keys(&bare),
        [
            "headers",
            "isBase64Encoded",
            "multiValueHeaders",
            "requestContext"
        ]
    );
    assert_eq!(bare["requestContext"]["eventType"], "CONNECT");
    for absent in ["Connection", "Upgrade"] {
        assert_eq!(bare["headers"].get(absent), None);
    }
    let event = socket().connect(&[("a", "1"), ("a", "2")], &[("Origin", "https://x")]);
    assert_eq!(event["queryStringParameters"], json!({"a": "2"}));
    assert_eq!(
        event["multiValueQueryStringParameters"],
        json!({"a": ["1", "2"]})
    );
    assert_eq!(event["headers"]["Origin"], "https://x");
    assert_eq!(event["multiValueHeaders"]["Origin"], json!(["https://x"]));
}

#[test]
fn e2_a_message_has_neither_headers_nor_a_query() {
    let event = socket().message("heartbeat", "{}");
    assert_eq!(keys(&event), ["body", "isBase64Encoded", "requestContext"]);
    let context = &event["requestContext"];
    assert_eq!(context["routeKey"], "heartbeat");
    assert_eq!(context["eventType"], "MESSAGE");
    assert!(context["messageId"].is_string());
}

#[test]
fn e3_disconnect_says_why_and_has_four_headers() {
    let event = socket().disconnect(1005, "Client-side close frame status not set");
    let context = &event["requestContext"];
    assert_eq!(context["disconnectStatusCode"], 1005);
    assert_eq!(
        context["disconnectReason"],
        "Client-side close frame status not set"
    );
    assert_eq!(context["routeKey"], "$disconnect");
    assert_eq!(
        event["headers"],
        json!({
            "Host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "",
        })
    );
    assert_eq!(event["multiValueHeaders"]["x-restapi"], json!([""]));
}

#[test]
fn e4_an_authorizer_is_asked_with_the_whole_handshake() {
    let asked = socket().authorized("someone", &[]);
    let event = asked.authorize(&[("token", "t")], &[]);
    assert_eq!(event["type"], "REQUEST");
    assert_eq!(
        event["methodArn"],
        "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/$connect"
    );
    assert_eq!(event["headers"]["Upgrade"], "websocket");
    assert_eq!(event["queryStringParameters"], json!({"token": "t"}));
    assert_eq!(event["stageVariables"], json!({}));
    // The authorizer has not run yet.
    assert_eq!(keys(&event["requestContext"]), CONTEXT);
    let bare = socket().authorize(&[], &[]);
    assert_eq!(bare["queryStringParameters"], json!({}));
    assert_eq!(bare["multiValueQueryStringParameters"], json!({}));
}

#[test]
fn a10_what_the_authorizer_let_through_is_on_every_event() {
    let socket = socket().authorized("user-1", &[("userId", "user-1")]);
    for event in [
        socket.connect(&[], &[]),
        socket.message("$default", ""),
        socket.disconnect(1001, ""),
    ] {
        assert_eq!(
            event["requestContext"]["authorizer"],
            json!({"principalId": "user-1", "userId": "user-1"})
        );
    }
}

#[test]
fn a_socket_ages() {
    let connected = Timestamp::from_millis(1_800_000_000_000);
    let later = connected.after(Duration::from_secs(6000));
    let event = socket()
        .connected_at(connected)
        .at(later)
        .message("heartbeat", "{}");
    let context = &event["requestContext"];
    assert_eq!(context["connectedAt"], 1_800_000_000_000_u64);
    assert_eq!(context["requestTimeEpoch"], 1_800_006_000_000_u64);
    assert_eq!(context["requestTime"], "15/Jan/2027:09:40:00 +0000");
}

#[test]
fn an_http_request_has_the_parameters_and_claims_of_its_route() {
    let event = HttpRequest {
        route_key: "PATCH /sessions/{sessionId}",
        path: "/sessions/merciful-truth-455-k7dq2m9x4hw3t",
        path_parameters: &[("sessionId", "merciful-truth-455-k7dq2m9x4hw3t")],
        body: Some("{}"),
        claims: Some(&[("sub", "user-1")]),
        ..HttpRequest::default()
    }
    .event();
    assert_eq!(event["requestContext"]["http"]["method"], "PATCH");
    assert_eq!(
        event["pathParameters"],
        json!({"sessionId": "merciful-truth-455-k7dq2m9x4hw3t"})
    );
    assert_eq!(
        event["requestContext"]["authorizer"],
        json!({"jwt": {"claims": {"sub": "user-1"}, "scopes": null}})
    );
    let bare = HttpRequest::default().event();
    for absent in ["body", "pathParameters"] {
        assert_eq!(bare.get(absent), None);
    }
    assert_eq!(bare["requestContext"].get("authorizer"), None);
}

#[test]
fn the_event_types_parse_every_event() {
    let read = |event: Value| -> ApiGatewayWebsocketProxyRequest {
        let read = serde_json::from_value(event.clone());
        read.unwrap_or_else(|error| panic!("{error}: {event}"))
    };
    let socket = socket().authorized("user-1", &[("userId", "user-1")]);
    let connect = read(socket.connect(&[("sessionId", "merciful-truth-455-k7dq2m9x4hw3t")], &[]));
    let session = connect.query_string_parameters.first("sessionId");
    assert_eq!(session, Some("merciful-truth-455-k7dq2m9x4hw3t"));
    assert_eq!(connect.headers["sec-websocket-version"], "13");
    let context = connect.request_context;
    assert_eq!(context.connected_at, 1_707_502_303_419);
    assert_eq!(context.authorizer.fields["userId"], "user-1");
    assert_eq!(context.identity.source_ip.as_deref(), Some("192.0.2.1"));

    let message = read(Socket::new("c=").message("heartbeat", "{}"));
    assert_eq!(message.body.as_deref(), Some("{}"));
    assert!(message.headers.is_empty());
    assert!(message.request_context.authorizer.fields.is_empty());

    let context = read(socket.disconnect(1001, "Going away")).request_context;
    assert_eq!(context.disconnect_status_code, Some(1001));
    assert_eq!(context.disconnect_reason.as_deref(), Some("Going away"));

    let request = HttpRequest {
        claims: Some(&[("sub", "user-1")]),
        ..HttpRequest::default()
    };
    let http: ApiGatewayV2httpRequest = serde_json::from_value(request.event()).unwrap();
    let jwt = http
        .request_context
        .authorizer
        .and_then(|authorizer| authorizer.jwt);
    assert_eq!(
        jwt.map(|jwt| jwt.claims["sub"].clone()).as_deref(),
        Some("user-1")
    );
}
