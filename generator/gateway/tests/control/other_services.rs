//! Calls of services that do not run here.

use std::convert::Infallible;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use stackgen_gateway::control::{self, ServiceRouters};
use stackgen_gateway::outbound::OtherServices;
use stackgen_gateway_common::{Event, EventReceiver, Events};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{send, signature};

/// Serves a router, and returns its URL.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Starts a control endpoint without services of its own. Calls go to a URL, or fail.
async fn control(url: Option<&str>) -> (String, EventReceiver) {
    let events = Events::default();
    let receiver = events.subscribe();
    let url = url.map(|url| url.parse().unwrap());
    let others = OtherServices::new(url, events);
    let router = control::routes(ServiceRouters {
        others: Arc::new(others),
        ..ServiceRouters::default()
    });
    (serve(router).await, receiver)
}

/// Returns the calls that were reported so far.
fn reported(events: &mut EventReceiver) -> Vec<(String, String)> {
    let all = std::iter::from_fn(|| events.try_recv().ok());
    let calls = all.filter_map(|event| match event {
        Event::ServiceNotRun {
            service, operation, ..
        } => Some((service, operation)),
        _ => None,
    });
    calls.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sdks_get_an_exception_that_names_the_missing_service_and_do_not_retry() {
    let Some(python) = stackgen_test_tools::installed("venv/bin/python") else {
        return;
    };
    let (endpoint, mut events) = control(None).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/control/other_services.py");
    for is_first in [true, false] {
        let mut command = Command::new(&python);
        command.arg(&script).arg(&endpoint);
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.unwrap().unwrap();
        assert!(output.status.success(), "{output:?}");
        let results: Vec<(String, String, String, u16, u32)> =
            serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(results.len(), 15);
        for (client, code, message, status, retries) in results {
            assert_eq!(code, "ServiceNotRunLocally", "{client}: {message}");
            let service = match client.as_str() {
                "stepfunctions" => "states",
                "sesv2" => "ses",
                "bedrock-runtime" => "bedrock",
                "cloudwatch" => "monitoring",
                other => other,
            };
            let expected = format!(
                "the local gateway has no {service}; start `stackgen dev` with --services URL"
            );
            assert!(message.starts_with(&expected), "{client}: {message}");
            assert_eq!((status, retries), (400, 0), "{client}");
        }
        let reported = reported(&mut events);
        let expected = [
            "sqs SendMessage",
            "sns Publish",
            "s3 PUT",
            "s3 GET",
            "states StartExecution",
            "events PutEvents",
            "kinesis PutRecord",
            "ses SendEmail",
            "ses GET",
            "secretsmanager GetSecretValue",
            "ssm GetParameter",
            "bedrock POST",
            "monitoring ListMetrics",
            "ec2 DescribeRegions",
            "cloudfront GET",
        ];
        let reported = reported
            .iter()
            .map(|(service, name)| format!("{service} {name}"));
        let reported: Vec<String> = reported.collect();
        match is_first {
            true => assert_eq!(reported, expected),
            false => assert!(reported.is_empty(), "{reported:?}"),
        }
    }
}

/// A server that answers with what it received, as JSON.
async fn mirror() -> String {
    let handler = async |request: Request| {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let headers = head.headers.iter();
        let headers: serde_json::Map<String, Value> = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
            .collect();
        let seen = serde_json::json!({
            "method": head.method.as_str(),
            "target": head.uri.to_string(),
            "headers": headers,
            "body": String::from_utf8_lossy(&body),
        });
        let response = Response::builder().status(418).header("x-answer", "yes");
        response.body(Body::from(seen.to_string())).unwrap()
    };
    serve(Router::new().fallback(handler)).await
}

#[tokio::test]
async fn a_call_is_forwarded_with_its_host_signature_and_body() {
    let (endpoint, mut events) = control(Some(&mirror().await)).await;
    let request = Request::put(format!("{endpoint}/bucket/a%20b?list-type=2&x"))
        .header("host", "localhost:4510")
        .header("authorization", signature("s3"))
        .header("x-amz-date", "20260101T000000Z");
    let response = send(request.body("hello".to_owned()).unwrap()).await;
    assert_eq!(response.status(), 418);
    assert_eq!(response.headers()["x-answer"], "yes");
    let seen: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["target"], "/bucket/a%20b?list-type=2&x");
    assert_eq!(seen["body"], "hello");
    assert_eq!(seen["headers"]["host"], "localhost:4510");
    assert_eq!(seen["headers"]["authorization"], signature("s3"));
    assert_eq!(seen["headers"]["x-amz-date"], "20260101T000000Z");
    assert_eq!(seen["headers"]["content-length"], "5");
    assert_eq!(reported(&mut events), []);
}

#[tokio::test]
async fn a_web_page_and_an_unsigned_request_are_not_forwarded() {
    let (endpoint, _) = control(Some(&mirror().await)).await;
    for (name, value) in [
        ("x-nothing", "unsigned".to_owned()),
        ("origin", "https://example.com".to_owned()),
    ] {
        let mut request = Request::get(format!("{endpoint}/bucket")).header(name, value);
        if name == "origin" {
            request = request.header("authorization", signature("s3"));
        }
        let response = send(request.body(String::new()).unwrap()).await;
        assert_eq!(response.status(), 403, "{name}");
    }
}

/// Returns the parts of a body that a test sends.
fn frames(
    parts: UnboundedReceiver<&'static str>,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    unfold(parts, async |mut parts| {
        let part = parts.recv().await?;
        Some((Ok(Frame::data(Bytes::from(part))), parts))
    })
}

#[tokio::test]
async fn bodies_are_streamed_in_both_directions() {
    // Answers with each part of the request as it arrives.
    let handler = async |request: Request| Response::new(Body::new(request.into_body()));
    let server = serve(Router::new().fallback(handler)).await;
    let (endpoint, _) = control(Some(&server)).await;
    let (parts, receiver) = unbounded_channel::<&'static str>();
    let request = Request::post(endpoint)
        .header("authorization", signature("s3"))
        .body(StreamBody::new(Box::pin(frames(receiver))))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    parts.send("first").unwrap();
    // The response begins, and its first part arrives, before the request is complete.
    let mut body = client.request(request).await.unwrap().into_body();
    for part in ["first", "second"] {
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), part);
        if part == "first" {
            parts.send("second").unwrap();
        }
    }
    drop(parts);
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_is_named_in_the_error_and_reported() {
    let closed = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let (endpoint, mut events) = control(Some(&url)).await;
    let request = Request::post(endpoint)
        .header("authorization", signature("sqs"))
        .header("x-amz-target", "AmazonSQS.SendMessage")
        .header("content-type", "application/x-amz-json-1.0");
    let response = send(request.body("{}".to_owned()).unwrap()).await;
    assert_eq!(response.status(), 400);
    let error: Value = serde_json::from_slice(response.body()).unwrap();
    let message = error["message"].as_str().unwrap();
    let expected = format!("sqs is called through --services: {url} cannot be reached: ");
    assert!(message.starts_with(&expected), "{message}");
    let call = ("sqs".to_owned(), "SendMessage".to_owned());
    assert_eq!(reported(&mut events), [call]);
}
