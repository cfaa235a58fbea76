//! The protocol of AWS's APIs: authentication, dispatch, pagination, errors and request rates.

use std::time::Duration;

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region};
use http::Request;
use serde_json::{Value, json};
use stackgen_gateway_common::RateLimits;

use crate::support::{Control, send, signature};

#[tokio::test]
async fn an_unsigned_request_is_refused() {
    let control = Control::start().await;
    let request = Request::get(format!("http://{}/v2/apis", control.address));
    let refused = send(request.body(String::new()).unwrap()).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(
        refused.headers()["x-amzn-errortype"],
        "MissingAuthenticationTokenException"
    );
}

#[tokio::test]
async fn a_foreign_origin_and_a_foreign_host_are_refused() {
    let control = Control::start().await;
    let own = format!("http://{}", control.address);
    for (name, value, status) in [
        ("origin", "https://example.com", 403),
        ("origin", own.as_str(), 200),
        ("host", "rebound.example.com", 403),
        ("host", "localhost:1", 200),
    ] {
        let request = Request::get(format!("http://{}/v2/apis", control.address));
        let request = request
            .header("authorization", signature("apigateway"))
            .header(name, value);
        let answer = send(request.body(String::new()).unwrap()).await;
        assert_eq!(answer.status(), status, "{name}: {value}");
    }
}

#[tokio::test]
async fn an_unknown_service_is_refused() {
    let control = Control::start().await;
    let request = Request::get(format!("http://{}/", control.address));
    let request = request.header("authorization", signature("s3"));
    let refused = send(request.body(String::new()).unwrap()).await;
    assert_eq!(refused.status(), 400);
    let body = String::from_utf8_lossy(refused.body());
    assert!(
        body.starts_with("<Error><Code>ServiceNotRunLocally</Code>"),
        "{body}"
    );
}

#[tokio::test]
async fn an_unsupported_operation_is_reported() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    for path in [
        "/restapis".to_owned(),
        format!("/v2/apis/{api}/exports/OAS30"),
    ] {
        let answer = control.raw("GET", &path, "").await;
        assert_eq!(answer.status(), 404);
        assert_eq!(
            answer.headers()["x-amzn-errortype"],
            "UnknownOperationException"
        );
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(
            body["message"],
            format!("The local gateway does not support GET {path}")
        );
    }
}

#[tokio::test]
async fn a_body_with_invalid_json_or_types_is_a_serialization_exception() {
    let control = Control::start().await;
    for body in ["{", "[]", "{\"name\": 1}", "{\"tags\": {\"a\": 1}}"] {
        let answer = control.raw("POST", "/v2/apis", body).await;
        assert_eq!(answer.status(), 400, "{body}");
        assert_eq!(
            answer.headers()["x-amzn-errortype"],
            "SerializationException"
        );
    }
}

#[tokio::test]
async fn an_unknown_protocol_is_a_bad_request() {
    let control = Control::start().await;
    let body = "{\"name\": \"a\", \"protocolType\": \"CARRIER_PIGEON\"}";
    let answer = control.raw("POST", "/v2/apis", body).await;
    assert_eq!(answer.headers()["x-amzn-errortype"], "BadRequestException");
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let control = Control::start().await;
    let body = json!({ "name": "a", "protocolType": "HTTP", "colour": "blue" });
    let answer = control.raw("POST", "/v2/apis", &body.to_string()).await;
    assert_eq!(answer.status(), 201);
    assert!(answer.headers().contains_key("x-amzn-requestid"));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let control = Control::start().await;
    let body = format!("{{\"name\": \"{}\"}}", "x".repeat(1024 * 1024));
    assert_eq!(control.raw("POST", "/v2/apis", &body).await.status(), 400);
}

#[tokio::test]
async fn lists_are_paginated() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    for n in 0..30 {
        let route = client
            .create_route()
            .api_id(&api)
            .route_key(format!("r{n}"));
        route.send().await.unwrap();
    }
    let mut keys = Vec::new();
    let mut sizes = Vec::new();
    let mut token = None;
    loop {
        let page = client
            .get_routes()
            .api_id(&api)
            .max_results("12")
            .set_next_token(token);
        let page = page.send().await.unwrap();
        sizes.push(page.items().len());
        keys.extend(
            page.items()
                .iter()
                .map(|route| route.route_key().unwrap().to_owned()),
        );
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [12, 12, 6]);
    assert_eq!(keys, (0..30).map(|n| format!("r{n}")).collect::<Vec<_>>());
    let unasked = client.get_routes().api_id(&api).send().await.unwrap();
    assert_eq!(
        (unasked.items().len(), unasked.next_token().is_some()),
        (25, true)
    );
}

#[tokio::test]
async fn an_invalid_page_is_refused() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    for size in ["0", "501", "many"] {
        let refused = client
            .get_routes()
            .api_id(&api)
            .max_results(size)
            .send()
            .await;
        assert!(
            refused
                .unwrap_err()
                .into_service_error()
                .is_bad_request_exception(),
            "{size}"
        );
    }
    for token in ["!", "OTk"] {
        let refused = client
            .get_routes()
            .api_id(&api)
            .next_token(token)
            .send()
            .await;
        assert!(
            refused
                .unwrap_err()
                .into_service_error()
                .is_bad_request_exception(),
            "{token}"
        );
    }
}

#[tokio::test]
async fn row_d15_rate_limits_are_applied_if_set() {
    let rates = RateLimits {
        rate: 0.0,
        burst: 3,
        deployments: Duration::ZERO,
    };
    let control = Control::start_with(|apis| apis, Some(rates)).await;
    for _ in 0..3 {
        control.client.get_apis().send().await.unwrap();
    }
    let refused = control.client.get_apis().send().await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_too_many_requests_exception()
    );
}

#[tokio::test]
async fn row_d15_deployments_have_a_separate_rate_limit() {
    let rates = RateLimits {
        deployments: Duration::from_secs(3600),
        ..RateLimits::default()
    };
    let control = Control::start_with(|apis| apis, Some(rates)).await;
    let api = control.api().await;
    control.deploy(&api).await;
    let refused = control.client.create_deployment().api_id(&api).send().await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_too_many_requests_exception()
    );
    control
        .client
        .get_deployments()
        .api_id(&api)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn sts_returns_the_callers_identity() {
    let control = Control::start().await;
    for (key, arn) in [
        ("ANY", "arn:aws:iam::123456789012:root"),
        (
            "FUNCTION",
            "arn:aws:sts::123456789012:assumed-role/echo-role/local",
        ),
    ] {
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(format!("http://{}", control.address))
            .credentials_provider(Credentials::new(key, "secret", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let client = aws_sdk_sts::Client::from_conf(config);
        let identity = client.get_caller_identity().send().await.unwrap();
        assert_eq!(identity.account(), Some("123456789012"));
        assert_eq!(identity.arn(), Some(arn));
        let refused = client.get_session_token().send().await.unwrap_err();
        let refused = refused.into_service_error();
        assert_eq!(refused.meta().code(), Some("InvalidAction"));
    }
}
