//! Tests of a complete function, `examples/echo.rs`, run as Lambda runs it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use serde_json::{Value, json};
use stackgen_websocket::ConnectionId;
use stackgen_websocket_testing::events::Socket;
use stackgen_websocket_testing::{
    ConnectionBehavior, Function, InvocationResult, ManagementEndpoint,
};

const SECRET: &str = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0.c2lnbmF0dXJl";

/// Returns the path of the example, which is beside the folder of the tests. `cargo test` builds it; `cargo test --test
/// function` alone does not.
fn echo() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/echo")
}

async fn start(endpoint: &ManagementEndpoint, level: &str) -> Function {
    let url = endpoint.url();
    let environment = [("MANAGEMENT_ENDPOINT", url.as_str()), ("LOG_LEVEL", level)];
    Function::start(echo(), &environment).await.unwrap()
}

fn socket() -> Socket {
    Socket::new("L0SM9cOFvHcCIhw=").authorized("anonymous", &[])
}

/// Parses log lines, each of which must be an object. Returns lines without and with metrics.
fn lines(logs: &[String]) -> (Vec<Value>, Vec<Value>) {
    let parse = |line: &String| -> Value {
        let value = serde_json::from_str(line);
        value.unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let lines = logs.iter().map(parse);
    lines.partition(|line| line.get("_aws").is_none())
}

#[tokio::test]
async fn it_answers_every_event_of_a_socket() {
    let endpoint = ManagementEndpoint::start().await;
    let mut function = start(&endpoint, "info").await;
    let socket = socket();
    for event in [
        socket.connect(
            &[("sessionId", "merciful-truth-455-k7dq2m9x4hw3t")],
            &[("Origin", "https://x")],
        ),
        socket.message("$default", "hello"),
        socket.disconnect(1005, "Client-side close frame status not set"),
    ] {
        let answer = function.invoke(&event).await.unwrap().response();
        assert_eq!(answer["statusCode"], 200, "{event}");
    }
    assert_eq!(endpoint.messages(&socket.connection_id), ["hello"]);
    assert!(function.api().first_next() >= Some(function.started()));
    assert!(function.api().first_answer() > function.api().first_next());
}

#[tokio::test]
async fn its_failures_reach_the_caller_and_do_not_end_it() {
    let endpoint = ManagementEndpoint::start().await;
    let mut function = start(&endpoint, "info").await;
    endpoint.set(&ConnectionId::new("c="), ConnectionBehavior::Gone);
    let event = Socket::new("c=").message("$default", "hello");
    let InvocationResult::Error { message, .. } = function.invoke(&event).await.unwrap() else {
        panic!("the connection is gone");
    };
    assert_eq!(message, "the connection is gone");
    let answer = function
        .invoke(&socket().message("$default", "hello"))
        .await;
    assert_eq!(answer.unwrap().response()["statusCode"], 200);
}

#[tokio::test]
async fn its_logs_are_flat_json_with_the_ids_of_the_request() {
    let endpoint = ManagementEndpoint::start().await;
    let mut function = start(&endpoint, "debug").await;
    let event = socket().message("sendAudio", "hello");
    function.invoke(&event).await.unwrap();
    let (lines, _) = lines(&function.stop().await);
    let line = lines
        .iter()
        .find(|line| line["message"] == "Message received")
        .unwrap();
    assert_eq!(line["level"], "DEBUG");
    assert_eq!(line["target"], "echo");
    assert_eq!(line["bytes"], 5);
    assert_eq!(line["requestId"], event["requestContext"]["requestId"]);
    assert_eq!(line["connectionId"], "L0SM9cOFvHcCIhw=");
    assert_eq!(line["routeKey"], "sendAudio");
    assert_eq!(line["lambdaRequestId"].as_str().map(str::len), Some(36));
    assert!(
        line.as_object()
            .unwrap()
            .values()
            .all(|value| !value.is_object())
    );
}

#[tokio::test]
async fn at_level_warn_the_ids_stay_on_the_line() {
    let endpoint = ManagementEndpoint::start().await;
    endpoint.set_default(ConnectionBehavior::Forbidden);
    let mut function = start(&endpoint, "warn").await;
    let event = socket().message("sendAudio", "hello");
    function.invoke(&event).await.unwrap();
    let (lines, _) = lines(&function.stop().await);
    let [line] = lines.as_slice() else {
        panic!("one error, not {lines:?}");
    };
    assert_eq!(line["level"], "ERROR");
    assert!(line["lambdaRequestId"].is_string());
}

#[tokio::test]
async fn no_secret_is_logged_even_at_level_trace() {
    let endpoint = ManagementEndpoint::start().await;
    let mut function = start(&endpoint, "trace").await;
    let token = format!("Bearer {SECRET}");
    let headers = [("Authorization", token.as_str())];
    for event in [
        socket().connect(&[("token", SECRET)], &headers),
        socket().message("sendAudio", "c2VjcmV0IGF1ZGlv"),
    ] {
        function.invoke(&event).await.unwrap();
    }
    endpoint.set_default(ConnectionBehavior::Failing);
    let event = socket().message("sendAudio", "c2VjcmV0IGF1ZGlv");
    function.invoke(&event).await.unwrap();
    let logs = function.stop().await.join("\n");
    assert!(logs.contains("Message received"), "{logs}");
    // The caller's token, the message, and Lambda's credentials.
    for secret in [
        SECRET,
        "c2VjcmV0",
        "session-token-of-nobody",
        "wJalrXUtnFEMI",
        "Signature=",
    ] {
        assert!(!logs.contains(secret), "{secret} in {logs}");
    }
}

#[tokio::test]
async fn its_metrics_are_cloudwatchs_embedded_format_after_every_event() {
    let endpoint = ManagementEndpoint::start().await;
    let mut function = start(&endpoint, "info").await;
    for event in [
        socket().connect(&[], &[]),
        socket().message("$default", "hello"),
        socket().connect(&[], &[]),
    ] {
        function.invoke(&event).await.unwrap();
    }
    let (_, metrics) = lines(&function.stop().await);
    // A message produces no metric here.
    let [one, two] = metrics.as_slice() else {
        panic!("two lines, not {metrics:?}");
    };
    assert!(one["_aws"]["Timestamp"].as_u64() > Some(1_700_000_000_000));
    assert_eq!(
        one["_aws"]["CloudWatchMetrics"],
        json!([{
            "Namespace": "Echo",
            "Dimensions": [["FunctionName"]],
            "Metrics": [{"Name": "Connections", "Unit": "Count"}],
        }])
    );
    assert_eq!(one["FunctionName"], "under-test");
    assert_eq!(
        (&one["Connections"], &two["Connections"]),
        (&json!(1), &json!(1))
    );
    assert_ne!(one["lambdaRequestId"], two["lambdaRequestId"]);
}

#[tokio::test]
async fn it_reports_all_missing_variables_and_ends() {
    let environment = [
        ("MANAGEMENT_ENDPOINT", "wss://example.com"),
        ("LOG_LEVEL", "loud"),
    ];
    let mut function = Function::start(echo(), &environment).await.unwrap();
    let exited = function
        .invoke(&socket().connect(&[], &[]))
        .await
        .unwrap_err();
    assert_eq!(exited.code, Some(1));
    let (lines, _) = lines(&exited.logs);
    let [line] = lines.as_slice() else {
        panic!("one line, not {lines:?}");
    };
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["message"], "Function stopped");
    let error = line["error"].as_str().unwrap();
    for problem in [
        "LOG_LEVEL is \"loud\" (one of error, warn, info, debug, trace)",
        "MANAGEMENT_ENDPOINT is a wss:// URL, which is for clients",
    ] {
        assert!(error.contains(problem), "{error}");
    }
}

#[tokio::test]
async fn a_log_line_can_be_waited_for() {
    let endpoint = ManagementEndpoint::start().await;
    let mut function = start(&endpoint, "info").await;
    function.invoke(&socket().connect(&[], &[])).await.unwrap();
    let line = function.log_line(|line| line.contains("Done")).await;
    assert!(line.is_some_and(|line| line.contains("\"echo\"")));
    assert!(function.id().is_some());
}
