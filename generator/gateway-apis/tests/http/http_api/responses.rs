//! Responses to clients.

use http::{Request, StatusCode};
use serde_json::json;
use stackgen_gateway_common::invoke::{InvokeError, InvokeErrorKind};
use tokio::net::TcpStream;

use super::{HttpApiBuilder, by_name, fail, never_answer, refused};
use crate::support;

#[tokio::test]
async fn a_functions_status_headers_cookies_and_bytes_reach_the_client() {
    let answer = json!({
        "statusCode": 201,
        "headers": {"Content-Type": "image/png", "X-Own": "1"},
        "cookies": ["a=1", "b=2"],
        "body": "AP8=",
        "isBase64Encoded": true,
    });
    let mut running = HttpApiBuilder::with_routes(&["GET /a"])
        .returning(answer)
        .await;
    let response = running.get("/a?token=secret").await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["content-type"], "image/png");
    assert_eq!(response.headers()["x-own"], "1");
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(response.body().as_ref(), [0, 255]);
    let id = running.last_event()["requestContext"]["requestId"].clone();
    assert_eq!(response.headers()["apigw-requestid"], id.as_str().unwrap());
    let next_event = running.next_event().await;
    let path = "/a?token=…".to_owned();
    assert_eq!(next_event, (path, Some("GET /a".to_owned()), 201, None));
}

#[tokio::test]
async fn format_2_returns_json_without_a_status_as_the_body() {
    let running = HttpApiBuilder::with_routes(&["GET /"])
        .returning(json!({"message": "hi"}))
        .await;
    let response = running.get("/").await;
    assert_eq!(refused(&response), (StatusCode::OK, r#"{"message":"hi"}"#));
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn malformed_values_and_errors_of_functions_are_500_with_a_reason_in_the_event() {
    let mut builder = HttpApiBuilder::with_routes(&[]);
    for name in ["malformed", "thrown"] {
        builder.route(&format!("GET /{name}"), |_, integration| {
            let uri = stackgen_gateway_common::ArnScope::default()
                .function(name)
                .to_string();
            integration.integration_uri = Some(uri);
        });
    }
    let functions = by_name(|name| match name {
        "malformed" => super::succeed(json!({"statusCode": 200, "body": {"a": "secret"}})),
        _ => fail("secret"),
    });
    let mut running = builder.start(functions).await;
    let internal = r#"{"message":"Internal Server Error"}"#;
    for (path, expected) in [
        ("/malformed", "body is not a string"),
        ("/thrown", "the function failed"),
    ] {
        let response = running.get(path).await;
        assert_eq!(
            refused(&response),
            (StatusCode::INTERNAL_SERVER_ERROR, internal)
        );
        let (_, _, _, reason) = running.next_event().await;
        assert_eq!(reason.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn row_c7_a_missing_permission_is_500_and_a_busy_function_is_503() {
    let mut builder = HttpApiBuilder::with_routes(&[]);
    for name in ["denied", "busy"] {
        builder.route(&format!("GET /{name}"), |_, integration| {
            let uri = stackgen_gateway_common::ArnScope::default()
                .function(name)
                .to_string();
            integration.integration_uri = Some(uri);
        });
    }
    let functions = by_name(|name| {
        let (kind, message) = match name {
            "denied" => (InvokeErrorKind::AccessDenied, "no permission"),
            _ => (
                InvokeErrorKind::TooManyRequests,
                "all environments are busy",
            ),
        };
        let message = message.to_owned();
        Box::pin(std::future::ready(Err(InvokeError { kind, message })))
    });
    let mut running = builder.start(functions).await;
    assert_eq!(running.get("/denied").await.status(), 500);
    assert_eq!(
        running.next_event().await.3.as_deref(),
        Some("no permission")
    );
    let busy = running.get("/busy").await;
    let unavailable = r#"{"message":"Service Unavailable"}"#;
    assert_eq!(
        refused(&busy),
        (StatusCode::SERVICE_UNAVAILABLE, unavailable)
    );
}

#[tokio::test]
async fn a_function_that_exceeds_the_integration_timeout_is_503() {
    let mut builder = HttpApiBuilder::with_routes(&[]);
    builder.route("GET /", |_, integration| integration.timeout_in_millis = 50);
    let mut running = builder.start(by_name(|_| never_answer())).await;
    let response = running.get("/").await;
    let unavailable = r#"{"message":"Service Unavailable"}"#;
    assert_eq!(
        refused(&response),
        (StatusCode::SERVICE_UNAVAILABLE, unavailable)
    );
    let (_, _, _, reason) = running.next_event().await;
    assert_eq!(reason.as_deref(), Some("the function took over 50 ms"));
}

#[tokio::test]
async fn a_request_without_a_route_or_a_target_is_not_found() {
    let mut builder = HttpApiBuilder::with_routes(&["GET /a"]);
    builder.route("GET /dead", |route, _| route.target = None);
    builder.route("GET /elsewhere", |_, integration| {
        integration.integration_type = "HTTP_PROXY".to_owned();
        integration.integration_uri = Some("https://example.com".to_owned());
    });
    let mut running = builder.returning(json!({})).await;
    let missing = r#"{"message":"Not Found"}"#;
    for path in ["/b", "/a/", "/dead"] {
        let response = running.get(path).await;
        assert_eq!(
            refused(&response),
            (StatusCode::NOT_FOUND, missing),
            "{path}"
        );
        running.next_event().await;
    }
    let post = Request::post(running.url("/a")).body("").unwrap();
    assert_eq!(support::send(post).await.status(), 404);
    running.next_event().await;
    assert_eq!(running.get("/elsewhere").await.status(), 500);
    let (_, _, _, reason) = running.next_event().await;
    insta::assert_snapshot!(reason.unwrap(), @r#"only Lambda proxy integrations are supported here, not HTTP_PROXY of "https://example.com""#);
}

#[tokio::test]
async fn a_stage_without_a_deployment_serves_nothing() {
    let running = HttpApiBuilder::with_routes(&["GET /"])
        .returning(json!({}))
        .await;
    let api = stackgen_gateway_common::ApiId::new("http1");
    let served = stackgen_gateway_apis::apis::ServedStage {
        stage: support::stage("$default").into(),
        snapshot: None,
    };
    running.plane.apis.serve(&api, served);
    assert_eq!(running.get("/").await.status(), 404);
}

#[tokio::test]
async fn a_connection_can_be_reused_for_several_requests() {
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;

    let running = HttpApiBuilder::with_routes(&["GET /"])
        .returning(json!({"statusCode": 204}))
        .await;
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut sender, connection) = http1::handshake::<_, String>(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    for _ in 0..3 {
        sender.ready().await.unwrap();
        let request = Request::get("/")
            .header("host", "localhost")
            .body(String::new());
        let response = sender.send_request(request.unwrap()).await.unwrap();
        assert_eq!(response.status(), 204);
    }
    assert_eq!(running.call_count(), 3);
}
