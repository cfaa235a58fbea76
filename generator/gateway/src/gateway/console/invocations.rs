//! Invocations of a function, from the lines that Lambda logs about them.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use stackgen_gateway_common::logs::LogEvent;

/// Maximum number of invocations.
const MAX_INVOCATIONS: usize = 100;

/// An invocation that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InvocationView {
    request_id: String,
    /// Time of its end, in milliseconds since 1970.
    at: u64,
    version: Option<String>,
    duration_millis: Option<f64>,
    /// Duration of the start of the process, if the invocation had to wait for it.
    init_millis: Option<f64>,
    /// Status, if Lambda logged one: `error` or `timeout`.
    status: Option<String>,
}

/// Returns the latest invocations, the latest first.
pub(super) fn invocations(events: &[LogEvent]) -> Vec<InvocationView> {
    let mut versions: HashMap<String, String> = HashMap::new();
    let mut found = Vec::new();
    for event in events {
        match parse(&event.message) {
            Some(LambdaLine::Start {
                request_id,
                version,
            }) => {
                versions.insert(request_id, version);
            }
            Some(LambdaLine::Report(report)) => found.push(InvocationView {
                at: event.at.as_millis(),
                version: versions.remove(&report.request_id),
                ..report
            }),
            None => {}
        }
    }
    let skipped = found.len().saturating_sub(MAX_INVOCATIONS);
    found.drain(..skipped);
    found.reverse();
    found
}

enum LambdaLine {
    Start { request_id: String, version: String },
    Report(InvocationView),
}

/// Parses a line in one of Lambda's two formats. Returns `None` for other lines.
fn parse(line: &str) -> Option<LambdaLine> {
    let line = line.trim_end();
    if let Some(rest) = line.strip_prefix("START RequestId: ") {
        let (request_id, version) = rest.split_once(" Version: ")?;
        return Some(LambdaLine::Start {
            request_id: request_id.to_owned(),
            version: version.to_owned(),
        });
    }
    match line.strip_prefix("REPORT RequestId: ") {
        Some(rest) => Some(LambdaLine::Report(text_report(rest))),
        None => json_line(line),
    }
}

/// Parses what follows the request ID of a `REPORT` line.
fn text_report(rest: &str) -> InvocationView {
    let mut fields = rest.split('\t');
    let mut report = InvocationView {
        request_id: fields.next().unwrap_or_default().to_owned(),
        ..InvocationView::default()
    };
    for field in fields {
        let millis = |value: &str| value.strip_suffix(" ms")?.parse().ok();
        match field.split_once(": ") {
            Some(("Duration", value)) => report.duration_millis = millis(value),
            Some(("Init Duration", value)) => report.init_millis = millis(value),
            Some(("Status", value)) => report.status = Some(value.to_owned()),
            _ => {}
        }
    }
    report
}

fn json_line(line: &str) -> Option<LambdaLine> {
    if !line.contains("\"platform.") {
        return None;
    }
    let line: Value = serde_json::from_str(line).ok()?;
    let record = &line["record"];
    let request_id = record["requestId"].as_str()?.to_owned();
    match line["type"].as_str()? {
        "platform.start" => Some(LambdaLine::Start {
            request_id,
            version: record["version"].as_str()?.to_owned(),
        }),
        "platform.report" => {
            let status = record["status"].as_str();
            let status = status.filter(|status| *status != "success");
            Some(LambdaLine::Report(InvocationView {
                request_id,
                duration_millis: record["metrics"]["durationMs"].as_f64(),
                init_millis: record["metrics"]["initDurationMs"].as_f64(),
                status: status.map(str::to_owned),
                ..InvocationView::default()
            }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stackgen_gateway_common::EpochMillis;
    use stackgen_gateway_common::logs::{LogQuery, Logs, PutLogs};

    use super::*;

    fn found(lines: &[&str]) -> Value {
        let logs = Logs::default();
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        logs.put("group", "stream", EpochMillis::from_millis(7), lines);
        let events = logs.events("group", &LogQuery::default()).unwrap();
        serde_json::to_value(invocations(&events)).unwrap()
    }

    #[test]
    fn lines_in_text_and_in_json_are_invocations() {
        let text = found(&[
            "INIT_START Runtime Version: nodejs20.x",
            "START RequestId: a Version: 3",
            "REPORT RequestId: b of a user",
            "REPORT RequestId: a\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 40 MB\tInit Duration: 80.00 ms\tStatus: timeout",
        ]);
        let expected = json!({
            "requestId": "a", "at": 7, "version": "3", "durationMillis": 1.5, "initMillis": 80.0, "status": "timeout",
        });
        assert_eq!(text[0], expected);
        let as_json = found(&[
            r#"{"type":"platform.start","record":{"requestId":"a","version":"$LATEST"}}"#,
            r#"{"type":"platform.report","record":{"requestId":"a","metrics":{"durationMs":2.0},"status":"success"}}"#,
            r#"{"type":"platform.report"}"#,
            "{\"platform.",
        ]);
        let expected = json!([{
            "requestId": "a", "at": 7, "version": "$LATEST", "durationMillis": 2.0, "initMillis": null, "status": null,
        }]);
        assert_eq!(as_json, expected);
    }

    #[test]
    fn the_latest_invocations_come_first() {
        let lines: Vec<_> = (0..150)
            .map(|number| format!("REPORT RequestId: r{number}\tDuration: 1.00 ms"))
            .collect();
        let found = found(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found.as_array().map(Vec::len), Some(MAX_INVOCATIONS));
        assert_eq!(found[0]["requestId"], "r149");
    }
}
