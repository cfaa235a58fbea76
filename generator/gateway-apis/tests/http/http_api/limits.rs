//! Limits, throttling and access logs.

use http::{Request, StatusCode};
use serde_json::json;
use stackgen_gateway_apis::apis::{AccessLogSettings, RouteSettings};

use super::{HttpApiBuilder, refused};
use crate::support;

#[tokio::test]
async fn a_body_of_more_than_10_mb_is_too_large() {
    let running = HttpApiBuilder::with_routes(&["POST /"])
        .returning(json!({"statusCode": 200}))
        .await;
    let send = |size: usize| {
        let request = Request::post(running.url("/")).header("content-type", "text/plain");
        support::send(request.body("x".repeat(size)).unwrap())
    };
    let most = 10 * 1024 * 1024;
    assert_eq!(send(most).await.status(), 200);
    let response = send(most + 1).await;
    let expected = r#"{"message":"Request Entity Too Large"}"#;
    assert_eq!(
        refused(&response),
        (StatusCode::PAYLOAD_TOO_LARGE, expected)
    );
    assert_eq!(running.call_count(), 1);
}

#[tokio::test]
async fn a_foreign_host_is_refused_before_routing() {
    let running = HttpApiBuilder::with_routes(&["$default"])
        .returning(json!({"statusCode": 200}))
        .await;
    let response = running.get_with("/", "host", "rebound.example:80").await;
    let expected = r#"{"message":"Forbidden: the Host header names another machine; use 127.0.0.1 or localhost"}"#;
    assert_eq!(refused(&response), (StatusCode::FORBIDDEN, expected));
    assert_eq!(running.call_count(), 0);
    let own = running.get_with("/", "host", "app.localhost:3000").await;
    assert_eq!(own.status(), 200);
}

#[tokio::test]
async fn row_l5_only_the_throttled_route_is_429() {
    let mut builder = HttpApiBuilder::with_routes(&["GET /a", "GET /b"]);
    let settings = RouteSettings {
        throttling_burst_limit: Some(1),
        throttling_rate_limit: Some(0.000_001),
        ..RouteSettings::default()
    };
    let routes = &mut builder.stage.route_settings;
    routes.insert("GET /a".to_owned(), settings);
    let running = builder.returning(json!({"statusCode": 200})).await;
    assert_eq!(running.get("/a").await.status(), 200);
    let response = running.get("/a").await;
    let expected = r#"{"message":"Too Many Requests"}"#;
    assert_eq!(
        refused(&response),
        (StatusCode::TOO_MANY_REQUESTS, expected)
    );
    assert_eq!(running.get("/b").await.status(), 200);
    assert_eq!(running.call_count(), 2);
}

#[tokio::test]
async fn row_l1_every_request_has_a_line_in_the_access_log() {
    let mut builder = HttpApiBuilder::with_routes(&["GET /a/{id}"]);
    builder.stage.access_log_settings = Some(AccessLogSettings {
        destination_arn: Some("arn:aws:logs:us-east-1:000000000000:log-group:access".to_owned()),
        format: Some(
            "$context.httpMethod $context.path $context.routeKey $context.status $context.responseLength \
             $context.integrationStatus $context.integration.status $context.error.messageString $context.protocol \
             $context.identity.sourceIp $context.stage $context.apiId $context.nosuch"
                .to_owned(),
        ),
    });
    let running = builder
        .returning(json!({"statusCode": 404, "body": "none"}))
        .await;
    running.get("/a/7?token=secret").await;
    running.get("/b").await;
    let lines = running.lines.0.lock().unwrap();
    let expected = [
        "GET /a/7 GET /a/{id} 404 4 200 404 - HTTP/1.1 127.0.0.1 $default http1 -",
        "GET /b - 404 23 - - \"Not Found\" HTTP/1.1 127.0.0.1 $default http1 -",
    ]
    .map(|line| ("access".to_owned(), line.to_owned()));
    assert_eq!(*lines, expected);
}
