//! CORS requests, as browsers send them.

use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::json;
use stackgen_gateway_apis::apis::Cors;

use super::{HttpApiBuilder, RunningApi};
use crate::support;

fn cors(origins: &[&str]) -> Cors {
    let texts = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
    Cors {
        allow_credentials: Some(true),
        allow_headers: texts(&["authorization", "content-type"]),
        allow_methods: texts(&["GET", "POST"]),
        allow_origins: texts(origins),
        expose_headers: texts(&["x-own"]),
        max_age: Some(300),
    }
}

async fn preflight(running: &RunningApi, path: &str, origin: &str) -> Response<Bytes> {
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri(running.url(path))
        .header("origin", origin)
        .header("access-control-request-method", "POST");
    support::send(request.body("").unwrap()).await
}

async fn start(builder: HttpApiBuilder, cors: Option<Cors>) -> RunningApi {
    let mut builder = builder;
    let mut api = (*builder.snapshot.api).clone();
    api.cors_configuration = cors;
    builder.snapshot.api = api.into();
    let answer = json!({
        "statusCode": 200,
        "headers": {"access-control-allow-origin": "https://of-the-function", "x-own": "1"},
    });
    builder.returning(answer).await
}

#[tokio::test]
async fn a_preflight_request_needs_no_route_and_no_function() {
    let builder = HttpApiBuilder::with_routes(&["POST /a", "ANY /any"]);
    let running = start(builder, Some(cors(&["https://app.example"]))).await;
    for path in ["/a", "/any", "/nosuch"] {
        let response = preflight(&running, path, "https://app.example").await;
        assert_eq!(response.status(), 204, "{path}");
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-methods", "GET,POST"),
            ("access-control-allow-headers", "authorization,content-type"),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", "x-own"),
            ("access-control-max-age", "300"),
        ] {
            assert_eq!(response.headers()[name], value, "{path} {name}");
        }
    }
    assert_eq!(running.call_count(), 0);
}

#[tokio::test]
async fn a_foreign_origin_gets_no_cors_headers() {
    let running = start(
        HttpApiBuilder::with_routes(&["GET /a"]),
        Some(cors(&["https://app.example"])),
    )
    .await;
    let response = preflight(&running, "/a", "https://elsewhere.example").await;
    assert_eq!(response.status(), 204);
    let names = response.headers().keys().map(|name| name.as_str());
    assert!(
        !names
            .into_iter()
            .any(|name| name.starts_with("access-control-"))
    );
}

#[tokio::test]
async fn the_cors_headers_of_the_api_replace_those_of_the_function_even_on_errors() {
    let running = start(
        HttpApiBuilder::with_routes(&["GET /a"]),
        Some(cors(&["https://*"])),
    )
    .await;
    for path in ["/a", "/nosuch"] {
        let response = running
            .get_with(path, "origin", "https://app.example")
            .await;
        let allowed = &response.headers()["access-control-allow-origin"];
        assert_eq!(allowed, "https://app.example", "{path}");
        assert!(
            !response
                .headers()
                .contains_key("access-control-allow-methods")
        );
    }
    let without = running.get("/a").await;
    assert!(
        !without
            .headers()
            .contains_key("access-control-allow-origin")
    );
}

#[tokio::test]
async fn an_allowed_wildcard_origin_is_answered_with_a_star() {
    let running = start(HttpApiBuilder::with_routes(&["GET /a"]), Some(cors(&["*"]))).await;
    let response = running
        .get_with("/a", "origin", "http://localhost:3000")
        .await;
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn without_a_cors_configuration_preflight_requests_go_to_routes() {
    let running = start(
        HttpApiBuilder::with_routes(&["GET /a", "OPTIONS /own"]),
        None,
    )
    .await;
    assert_eq!(
        preflight(&running, "/a", "https://app.example")
            .await
            .status(),
        404
    );
    let own = preflight(&running, "/own", "https://app.example").await;
    let allowed = &own.headers()["access-control-allow-origin"];
    assert_eq!(allowed, "https://of-the-function");
    assert_eq!(running.call_count(), 1);
}

#[tokio::test]
async fn a_preflight_request_to_an_any_route_with_iam_is_403() {
    let mut builder = HttpApiBuilder::with_routes(&[]);
    builder.route("ANY /{proxy+}", |route, _| {
        route.authorization_type = "AWS_IAM".to_owned();
    });
    let running = start(builder, Some(cors(&["*"]))).await;
    assert_eq!(
        preflight(&running, "/a", "https://app.example")
            .await
            .status(),
        403
    );
}
