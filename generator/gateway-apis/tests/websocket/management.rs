//! The management API over plain HTTP (rows K1 to K7 and C11). `tests/http` uses the AWS SDK.

use serde_json::Value;
use stackgen_gateway_common::StageName;

use crate::support::{Client, Reply, Response, TestApi, TestGateway, signature};

const ROUTES: &[&str] = &["$connect", "$default", "$disconnect"];

/// Sends a request to the management API.
async fn ask(gateway: &TestGateway, method: &str, path: &str, body: &[u8]) -> Response {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n",
        signature("ANYBODY"),
        body.len()
    );
    gateway.raw(&[head.as_bytes(), body].concat()).await
}

/// Connects a client, and returns it with its path in the management API.
async fn connect(gateway: &TestGateway) -> (Client, String) {
    let client = gateway.connect().await;
    let path = path("prod", &gateway.functions.event("connect").await);
    (client, path)
}

fn path(stage: &str, event: &Value) -> String {
    let id = event["requestContext"]["connectionId"].as_str().unwrap();
    format!("/{stage}/@connections/{}", id.replace('=', "%3D"))
}

/// Returns the status and the error type of a response.
fn kind(response: &Response) -> (u16, Option<&str>) {
    (response.status, response.header("x-amzn-errortype"))
}

#[tokio::test]
async fn row_k1_a_post_reaches_the_client_as_a_text_message() {
    let gateway = TestApi::with(ROUTES).start().await;
    let (mut client, path) = connect(&gateway).await;
    assert_eq!(
        ask(&gateway, "POST", &path, "hör".as_bytes()).await.status,
        200
    );
    assert_eq!(client.text().await, "hör");
    assert_eq!(ask(&gateway, "POST", &path, b"").await.status, 200);
    assert_eq!(client.text().await, "");
}

#[tokio::test]
async fn row_k2_get_returns_times_and_identity_of_a_connection() {
    let gateway = TestApi::with(ROUTES).start().await;
    let (_client, path) = connect(&gateway).await;
    let found = ask(&gateway, "GET", &path, b"").await;
    assert_eq!(found.status, 200);
    let found = found.json();
    for key in ["connectedAt", "lastActiveAt"] {
        let at = found[key].as_str().unwrap();
        assert!(at.contains('T') && at.ends_with('Z'), "{at}");
    }
    assert_eq!(found["identity"]["sourceIp"], "127.0.0.1");
}

#[tokio::test]
async fn row_k3_a_delete_closes_the_client() {
    let mut gateway = TestApi::with(ROUTES).start().await;
    let (mut client, path) = connect(&gateway).await;
    assert_eq!(ask(&gateway, "DELETE", &path, b"").await.status, 204);
    let closed = client.closed().await;
    assert_eq!(
        closed,
        Some((1000, "Connection Closed Normally".to_owned()))
    );
    drop(client);
    assert_eq!(gateway.closed().await.2, "M15");
}

#[tokio::test]
async fn row_k4_a_closed_connection_is_gone() {
    let gateway = TestApi::with(ROUTES).start().await;
    let (mut client, path) = connect(&gateway).await;
    client.close(None).await;
    gateway.functions.event("disconnect").await;
    for method in ["POST", "GET", "DELETE"] {
        let gone = ask(&gateway, method, &path, b"").await;
        assert_eq!(kind(&gone), (410, Some("GoneException")), "{method}");
    }
    let never = ask(
        &gateway,
        "POST",
        "/prod/@connections/L0SM9cOFvHcCIhw%3D",
        b"x",
    )
    .await;
    assert_eq!(kind(&never), (410, Some("GoneException")));
}

#[tokio::test]
async fn row_k4_a_malformed_id_is_a_bad_request() {
    let gateway = TestApi::with(ROUTES).start().await;
    let wrong = "/prod/@connections/L0SM9cOFvHcCIhw%3Dtest";
    for method in ["POST", "GET", "DELETE"] {
        let refused = ask(&gateway, method, wrong, b"x").await;
        assert_eq!(
            kind(&refused),
            (400, Some("BadRequestException")),
            "{method}"
        );
        assert_eq!(
            String::from_utf8_lossy(&refused.body),
            r#"{"message":"Invalid connectionId: L0SM9cOFvHcCIhw=test"}"#
        );
        assert_eq!(refused.header("content-type"), Some("application/json"));
        assert!(refused.header("x-amz-apigw-id").is_some());
        assert_eq!(refused.header("x-amzn-trace-id"), None);
    }
}

/// Answers that were recorded on AWS in November 2020 by the tests of Bref.
#[tokio::test]
async fn rows_k1_to_k4_answers_have_the_headers_and_bodies_of_aws() {
    let gateway = TestApi::with(ROUTES).start().await;
    let (_client, path) = connect(&gateway).await;
    let posted = ask(&gateway, "POST", &path, b"x").await;
    let found = ask(&gateway, "GET", &path, b"").await;
    let deleted = ask(&gateway, "DELETE", &path, b"").await;
    gateway.functions.event("disconnect").await;
    let gone = ask(&gateway, "DELETE", &path, b"").await;
    for (answer, length) in [(&posted, Some("0")), (&gone, Some("0")), (&deleted, None)] {
        assert_eq!(answer.header("content-length"), length, "{answer:?}");
        let kind = length.map(|_| "application/json");
        assert_eq!(answer.header("content-type"), kind, "{answer:?}");
    }
    for answer in [&posted, &found, &deleted, &gone] {
        let id = answer.header("x-amz-apigw-id").unwrap();
        assert!(id.len() == 16 && id.ends_with('='), "{id}");
        let trace = answer.header("x-amzn-trace-id").unwrap();
        assert!(trace.starts_with("Root=1-"), "{trace}");
        assert!(answer.header("x-amzn-requestid").is_some());
    }
    let text = String::from_utf8(found.body.clone()).unwrap();
    assert!(
        text.starts_with("{\n  \"identity\" : {\n    \"sourceIp\" : \"127.0.0.1\""),
        "{text}"
    );
    assert!(text.contains("\n  },\n  \"connectedAt\" : \""), "{text}");
    assert!(text.ends_with("Z\"\n}"), "{text}");
}

#[tokio::test]
async fn row_k5_another_stage_and_a_double_encoded_id_are_forbidden() {
    let test_api = TestApi::with(ROUTES);
    let gateway = test_api.clone().start().await;
    test_api
        .change_stage(|it| it.stage_name = StageName::new("dev"))
        .serve(&gateway.plane);
    let (mut client, path) = connect(&gateway).await;
    for wrong in [
        path.replace("/prod/", "/dev/"),
        path.replace("/prod/", "/nosuch/"),
        path.replace("%3D", "%253D"),
    ] {
        let refused = ask(&gateway, "POST", &wrong, b"x").await;
        assert_eq!(kind(&refused), (403, Some("ForbiddenException")), "{wrong}");
    }
    client.ping().await;
}

#[tokio::test]
async fn row_k6_128_kb_reach_the_client_and_one_more_byte_is_too_large() {
    let gateway = TestApi::with(ROUTES).start().await;
    let (mut client, path) = connect(&gateway).await;
    let most = vec![b'x'; 128 * 1024];
    assert_eq!(ask(&gateway, "POST", &path, &most).await.status, 200);
    assert_eq!(client.text().await.len(), most.len());
    let refused = ask(&gateway, "POST", &path, &[&most[..], b"x"].concat()).await;
    assert_eq!(kind(&refused), (413, Some("PayloadTooLargeException")));
}

#[tokio::test]
async fn row_k7_posts_to_a_client_that_does_not_read_are_refused() {
    let gateway = TestApi::with(ROUTES)
        .start_with(|it| it.limits.client_buffer = 256 * 1024)
        .await;
    let (mut client, path) = connect(&gateway).await;
    let post = vec![b'x'; 64 * 1024];
    let mut posted = 0;
    let refused = loop {
        let answer = ask(&gateway, "POST", &path, &post).await;
        if answer.status != 200 {
            break answer;
        }
        posted += 1;
        assert!(posted < 1024, "the buffer has no limit");
    };
    assert_eq!(kind(&refused), (429, Some("LimitExceededException")));
    for _ in 0..posted {
        assert_eq!(client.text().await.len(), post.len());
    }
    assert_eq!(ask(&gateway, "POST", &path, b"more").await.status, 200);
    assert_eq!(client.text().await, "more");
}

#[tokio::test]
async fn row_c11_a_connection_can_only_be_posted_to_after_its_handshake() {
    let gateway = TestApi::with(ROUTES).start().await;
    let held = Reply::Held(serde_json::json!({"statusCode": 200}));
    gateway.functions.always("connect", held);
    let (mut client, path) = tokio::join!(gateway.connect(), async {
        let path = path("prod", &gateway.functions.event("connect").await);
        let gone = ask(&gateway, "POST", &path, b"too early").await;
        assert_eq!(kind(&gone), (410, Some("GoneException")));
        gateway.functions.release(1);
        path
    });
    assert_eq!(ask(&gateway, "POST", &path, b"in time").await.status, 200);
    assert_eq!(client.text().await, "in time");
}
