//! Tests of metrics. They have a process of their own, because the recorder is global.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use stackgen_websocket::{ConnectionId, FanOutReport, PostError, metrics};

fn flushed() -> Vec<Value> {
    let mut written = Vec::new();
    metrics::flush(&mut written).unwrap();
    let text = String::from_utf8(written).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn metrics_are_written_once_in_cloudwatchs_embedded_format() {
    metrics::count(metrics::CONNECTIONS);
    assert_eq!(flushed(), Vec::<Value>::new(), "nothing collects yet");

    metrics::install("LiveSession", "session-audio-handler-dev").unwrap();
    let again = metrics::install("LiveSession", "session-audio-handler-dev");
    assert_eq!(again, Err(metrics::AlreadyInstalled));
    assert_eq!(flushed(), Vec::<Value>::new());

    metrics::set_invocation("8c1f");
    let id = ConnectionId::new("c=");
    let report = FanOutReport {
        sent: 3,
        gone: vec![id.clone()],
        attempts: 9,
        failed: vec![(id.clone(), PostError::Busy), (id, PostError::TimedOut)],
    };
    metrics::count_fan_out(&report, Duration::from_micros(12_500));
    metrics::count_reason(metrics::REFUSALS, "full");
    metrics::count_reason(metrics::REFUSALS, "full");

    let mut lines = flushed();
    lines.sort_by_key(|line| line["Reason"].as_str().map(str::to_owned));
    let [mut fan_out, mut refusals, throttled, timed_out] = <[Value; 4]>::try_from(lines).unwrap();
    for (line, reason) in [(throttled, "throttled"), (timed_out, "timedOut")] {
        assert_eq!(
            (&line["Reason"], &line["FanOutFailures"]),
            (&json!(reason), &json!(1))
        );
    }
    for line in [&mut fan_out, &mut refusals] {
        let timestamp = line["_aws"]["Timestamp"].take();
        assert!(timestamp.as_u64() > Some(1_700_000_000_000));
    }
    assert_eq!(fan_out, expected_fan_out());
    assert_eq!(refusals, expected_refusals());
    assert_eq!(flushed(), Vec::<Value>::new(), "it is written once");
}

fn metric(name: &str, unit: &str) -> Value {
    json!({"Name": name, "Unit": unit})
}

fn expected_fan_out() -> Value {
    json!({
        "_aws": {"Timestamp": null, "CloudWatchMetrics": [{
            "Namespace": "LiveSession",
            "Dimensions": [["FunctionName"]],
            "Metrics": [
                metric("FanOutAttempts", "Count"),
                metric("FanOutDuration", "Milliseconds"),
                metric("FanOutFailed", "Count"),
                metric("FanOutGone", "Count"),
                metric("FanOutSent", "Count"),
            ],
        }]},
        "FunctionName": "session-audio-handler-dev",
        "lambdaRequestId": "8c1f",
        "FanOutAttempts": 9,
        "FanOutDuration": [12.5],
        "FanOutFailed": 2,
        "FanOutGone": 1,
        "FanOutSent": 3,
    })
}

fn expected_refusals() -> Value {
    json!({
        "_aws": {"Timestamp": null, "CloudWatchMetrics": [{
            "Namespace": "LiveSession",
            "Dimensions": [["FunctionName", "Reason"]],
            "Metrics": [metric("Refusals", "Count")],
        }]},
        "FunctionName": "session-audio-handler-dev",
        "Reason": "full",
        "lambdaRequestId": "8c1f",
        "Refusals": 2,
    })
}
