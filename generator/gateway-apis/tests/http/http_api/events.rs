//! Events that functions receive.

use http::Request;
use serde_json::{Value, json};
use stackgen_gateway_common::invoke::InvocationCaller;

use super::HttpApiBuilder;
use crate::support;

/// Replaces values that differ between runs.
fn normalized(mut event: Value, address: impl ToString) -> Value {
    let port = address.to_string().rsplit_once(':').unwrap().1.to_owned();
    let context = &mut event["requestContext"];
    for name in ["requestId", "extendedRequestId", "time", "requestTime"] {
        if context.get(name).is_some() {
            assert!(!context[name].as_str().unwrap().is_empty());
            context[name] = json!("…");
        }
    }
    for name in ["timeEpoch", "requestTimeEpoch"] {
        if context.get(name).is_some() {
            assert!(context[name].as_u64().unwrap() > 1_700_000_000_000);
            context[name] = json!(0);
        }
    }
    let text = event.to_string().replace(&port, "PORT");
    serde_json::from_str(&text).unwrap()
}

fn request(url: &str) -> Request<&'static str> {
    Request::post(url)
        .header("Content-Type", "application/json; charset=utf-8")
        .header("User-Agent", "test")
        .header("X-Many", "1")
        .header("X-Many", "2")
        .header("Cookie", "a=1; b=2")
        .header(
            "X-Amzn-Trace-Id",
            "Root=1-65c66edf-000000000000000000000000",
        )
        .body(r#"{"text":"hör"}"#)
        .unwrap()
}

#[tokio::test]
async fn format_2_has_joined_lower_case_headers_and_separate_cookies() {
    let mut builder = HttpApiBuilder::with_routes(&["POST /sessions/{sessionId}"]);
    let variables = &mut builder.stage.stage_variables;
    variables.insert("colour".to_owned(), "blue".to_owned());
    let running = builder.returning(json!({"statusCode": 200})).await;
    let url = running.url("/sessions/a%20b?q=1&q=x%2Cy&empty=");
    support::send(request(&url)).await;
    let event = normalized(running.last_event(), running.address);
    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "POST /sessions/{sessionId}",
            "rawPath": "/sessions/a b",
            "rawQueryString": "q=1&q=x%2Cy&empty=",
            "cookies": ["a=1", "b=2"],
            "headers": {
                "content-length": "15",
                "content-type": "application/json; charset=utf-8",
                "host": "127.0.0.1:PORT",
                "user-agent": "test",
                "x-amzn-trace-id": "Root=1-65c66edf-000000000000000000000000",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-port": "PORT",
                "x-forwarded-proto": "http",
                "x-many": "1,2",
            },
            "queryStringParameters": {"q": "1,x,y", "empty": ""},
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "http1",
                "domainName": "127.0.0.1:PORT",
                "domainPrefix": "http1",
                "http": {
                    "method": "POST",
                    "path": "/sessions/a b",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "test",
                },
                "requestId": "…",
                "routeKey": "POST /sessions/{sessionId}",
                "stage": "$default",
                "time": "…",
                "timeEpoch": 0,
            },
            "pathParameters": {"sessionId": "a b"},
            "stageVariables": {"colour": "blue"},
            "body": "{\"text\":\"hör\"}",
            "isBase64Encoded": false,
        })
    );
}

#[tokio::test]
async fn row_c7_the_source_arn_has_the_method_and_the_routes_path() {
    let builder = HttpApiBuilder::with_routes(&["POST /sessions/{sessionId}"]);
    let running = builder.returning(json!({"statusCode": 200})).await;
    support::send(request(&running.url("/sessions/7"))).await;
    let call = running.last_call();
    assert_eq!(call.trace_id, "Root=1-65c66edf-000000000000000000000000");
    let source_arn =
        "arn:aws:execute-api:us-east-1:000000000000:http1/$default/POST/sessions/{sessionId}";
    assert_eq!(
        call.caller,
        InvocationCaller::ApiGateway {
            source_arn: source_arn.to_owned()
        }
    );
}

#[tokio::test]
async fn format_1_is_the_default_and_has_every_value() {
    let mut builder = HttpApiBuilder::with_routes(&[]);
    builder.route("POST /sessions/{proxy+}", |_, integration| {
        integration.payload_format_version = None;
        integration.credentials_arn = Some("arn:aws:iam::000000000000:role/invoker".to_owned());
    });
    let running = builder.returning(json!({"statusCode": 200})).await;
    let url = running.url("/sessions/a/b?q=1&q=2");
    support::send(request(&url)).await;
    let event = normalized(running.last_event(), running.address);
    assert_eq!(event["version"], "1.0");
    assert_eq!(event["resource"], "/sessions/{proxy+}");
    assert_eq!(event["path"], "/sessions/a/b");
    assert_eq!(event["httpMethod"], "POST");
    assert_eq!(event["headers"]["x-many"], "2");
    assert_eq!(event["multiValueHeaders"]["x-many"], json!(["1", "2"]));
    assert_eq!(event["headers"]["cookie"], "a=1; b=2");
    assert_eq!(event["queryStringParameters"], json!({"q": "2"}));
    let many = &event["multiValueQueryStringParameters"];
    assert_eq!(*many, json!({"q": ["1", "2"]}));
    assert_eq!(event["pathParameters"], json!({"proxy": "a/b"}));
    assert_eq!(event["stageVariables"], json!(null));
    assert_eq!(event["body"], "{\"text\":\"hör\"}");
    let context = &event["requestContext"];
    assert_eq!(context["resourcePath"], "/sessions/{proxy+}");
    assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
    let nobody = json!({"claims": null, "scopes": null});
    assert_eq!(context["authorizer"], nobody);
    let role = "arn:aws:iam::000000000000:role/invoker".to_owned();
    assert_eq!(running.last_call().caller, InvocationCaller::Role(role));
}

#[tokio::test]
async fn missing_values_are_left_out_of_format_2_and_null_in_format_1() {
    let mut builder = HttpApiBuilder::with_routes(&["GET /two"]);
    builder.route("GET /one", |_, integration| {
        integration.payload_format_version = Some("1.0".to_owned());
    });
    let running = builder.returning(json!({"statusCode": 200})).await;
    running.get("/two").await;
    let two = running.last_event();
    let absent = [
        "cookies",
        "queryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ];
    for name in absent {
        assert_eq!(two.get(name), None, "{name}");
    }
    assert_eq!(two["rawQueryString"], "");
    assert_eq!(two["isBase64Encoded"], false);
    running.get("/one").await;
    let one = running.last_event();
    for name in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ] {
        assert_eq!(one.get(name), Some(&Value::Null), "{name}");
    }
}

#[tokio::test]
async fn only_text_json_xml_and_javascript_bodies_are_text() {
    let running = HttpApiBuilder::with_routes(&["POST /"])
        .returning(json!({"statusCode": 200}))
        .await;
    for (content_type, encoded) in [
        (Some("text/plain"), false),
        (Some("application/json"), false),
        (Some("Application/XML; charset=utf-8"), false),
        (Some("application/javascript"), false),
        (Some("application/x-www-form-urlencoded"), true),
        (Some("application/octet-stream"), true),
        (Some("application/problem+json"), true),
        (None, true),
    ] {
        let mut request = Request::post(running.url("/"));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        support::send(request.body("a=1").unwrap()).await;
        let event = running.last_event();
        assert_eq!(event["isBase64Encoded"], encoded, "{content_type:?}");
        let expected = if encoded { "YT0x" } else { "a=1" };
        assert_eq!(event["body"], expected, "{content_type:?}");
    }
}

#[tokio::test]
async fn a_named_stage_is_the_first_segment_of_the_path_and_not_part_of_routes() {
    let mut builder = HttpApiBuilder::with_routes(&["GET /devices", "$default"]);
    builder.stage = support::stage("dev");
    let mut running = builder.returning(json!({"statusCode": 200})).await;
    assert_eq!(running.get("/dev/devices").await.status(), 200);
    let event = running.last_event();
    assert_eq!(event["routeKey"], "GET /devices");
    assert_eq!(event["rawPath"], "/dev/devices");
    assert_eq!(event["requestContext"]["stage"], "dev");
    assert_eq!(running.get("/dev").await.status(), 200);
    assert_eq!(running.last_event()["routeKey"], "$default");
    assert_eq!(running.get("/devices").await.status(), 404);
    running.next_event().await;
    running.next_event().await;
    let (_, _, status, reason) = running.next_event().await;
    assert_eq!(
        (status, reason.as_deref()),
        (404, Some("no stage of this API serves this path"))
    );
}

#[tokio::test]
async fn row_d2_a_stage_variable_selects_the_function() {
    let mut builder = HttpApiBuilder::with_routes(&[]);
    builder.route("GET /", |_, integration| {
        let uri = integration.integration_uri.take().unwrap();
        integration.integration_uri =
            Some(uri.replace(":function:f", ":function:${stageVariables.name}"));
    });
    let variables = &mut builder.stage.stage_variables;
    variables.insert("name".to_owned(), "chosen".to_owned());
    let running = builder.returning(json!({"statusCode": 200})).await;
    running.get("/").await;
    assert_eq!(running.last_call().function.name, "chosen");
}
