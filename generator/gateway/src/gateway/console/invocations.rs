//! Invocations of a function, from the lines that Lambda logs about them.

use std::collections::HashMap;

use serde::Serialize;
use stackgen_gateway_common::logs::LogEvent;
use stackgen_gateway_lambda::functions::InvocationLine;

/// Maximum number of invocations.
const MAX_INVOCATIONS: usize = 100;

/// An invocation that ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
        match InvocationLine::parse(&event.message) {
            Some(InvocationLine::Start {
                request_id,
                version,
            }) => {
                versions.insert(request_id, version);
            }
            Some(InvocationLine::Report(report)) => found.push(InvocationView {
                at: event.at.as_millis(),
                version: versions.remove(&report.request_id),
                request_id: report.request_id,
                duration_millis: report.duration_millis,
                init_millis: report.init_millis,
                status: report.status,
            }),
            None => {}
        }
    }
    let skipped = found.len().saturating_sub(MAX_INVOCATIONS);
    found.drain(..skipped);
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
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
