//! Events as public projects recorded them on AWS (rows E0 to E4): the same members and headers, in the same order.

use serde_json::{Value, json};

use crate::support::{TestApi, TestGateway};

/// Headers that the recorded client sent, in another order and with the values of a browser.
const CLIENT: [(&str, &str); 2] = [
    ("Authorization", "Leo"),
    (
        "Sec-WebSocket-Extensions",
        "permessage-deflate; client_max_window_bits",
    ),
];

/// Names of the headers that the authorizer got.
const AUTHORIZER_HEADERS: [&str; 12] = [
    "Authorization",
    "Connection",
    "content-length",
    "Host",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Upgrade",
    "X-Amzn-Trace-Id",
    "X-Forwarded-For",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
];

fn names(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

async fn gateway() -> TestGateway {
    TestApi::with(&["$connect"]).authorizer(&[]).start().await
}

/// From powertools-lambda-python, `apiGatewayAuthorizerWebSocketEvent.json` of January 2025.
#[tokio::test]
async fn row_e4_an_authorizer_gets_the_members_that_were_recorded() {
    let gateway = gateway().await;
    gateway.status("/prod", &CLIENT).await;
    let event = gateway.functions.event("authorize").await;
    assert_eq!(
        names(&event),
        [
            "type",
            "methodArn",
            "headers",
            "multiValueHeaders",
            "queryStringParameters",
            "multiValueQueryStringParameters",
            "stageVariables",
            "requestContext",
        ]
    );
    assert_eq!(names(&event["headers"]), AUTHORIZER_HEADERS);
    assert_eq!(names(&event["multiValueHeaders"]), AUTHORIZER_HEADERS);
    for (name, value) in [
        ("Connection", "upgrade"),
        ("content-length", "0"),
        ("Upgrade", "websocket"),
        ("Authorization", "Leo"),
        ("Sec-WebSocket-Version", "13"),
    ] {
        assert_eq!(event["headers"][name], value, "{name}");
        assert_eq!(event["multiValueHeaders"][name], json!([value]), "{name}");
    }
    for empty in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "stageVariables",
    ] {
        assert_eq!(event[empty], json!({}), "{empty}");
    }
    assert_eq!(
        names(&event["requestContext"]),
        [
            "routeKey",
            "eventType",
            "extendedRequestId",
            "requestTime",
            "messageDirection",
            "stage",
            "connectedAt",
            "requestTimeEpoch",
            "identity",
            "requestId",
            "domainName",
            "connectionId",
            "apiId",
        ]
    );
}

/// From powertools-lambda-python, `apiGatewayWebSocketApiConnect.json` of November 2024.
#[tokio::test]
async fn row_e1_connect_gets_the_members_that_were_recorded() {
    let gateway = TestApi::with(&["$connect"]).start().await;
    gateway.status("/prod", &CLIENT[1..]).await;
    let event = gateway.functions.event("connect").await;
    assert_eq!(
        names(&event),
        [
            "headers",
            "multiValueHeaders",
            "requestContext",
            "isBase64Encoded",
        ]
    );
    let headers = [
        "Host",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "X-Amzn-Trace-Id",
        "X-Forwarded-For",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
    ];
    assert_eq!(names(&event["headers"]), headers);
    assert_eq!(names(&event["multiValueHeaders"]), headers);
    assert_eq!(event["isBase64Encoded"], false);
    let context = &event["requestContext"];
    assert_eq!(context["requestId"], context["extendedRequestId"]);
    assert_eq!(names(&context["identity"]), ["sourceIp"]);
}
