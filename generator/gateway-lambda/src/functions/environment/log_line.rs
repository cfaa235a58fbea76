//! Lines that Lambda logs about an invocation, read back.

use serde_json::Value;

/// A line about an invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum InvocationLine {
    /// The invocation starts.
    Start {
        /// Request ID.
        request_id: String,
        /// Version of the function.
        version: String,
    },
    /// The invocation ended.
    Report(ReportLine),
}

/// Values of a `REPORT` line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportLine {
    /// Request ID.
    pub request_id: String,
    /// Duration in milliseconds.
    pub duration_millis: Option<f64>,
    /// Duration of the start of the process, if the invocation had to wait for it.
    pub init_millis: Option<f64>,
    /// Status, if Lambda logged a failure: `error` or `timeout`.
    pub status: Option<String>,
}

impl InvocationLine {
    /// Parses a line in one of Lambda's two formats. Returns `None` for other lines.
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim_end();
        if let Some(rest) = line.strip_prefix("START RequestId: ") {
            let (request_id, version) = rest.split_once(" Version: ")?;
            return Some(InvocationLine::Start {
                request_id: request_id.to_owned(),
                version: version.to_owned(),
            });
        }
        match line.strip_prefix("REPORT RequestId: ") {
            Some(rest) => Some(InvocationLine::Report(text_report(rest))),
            None => json_line(line),
        }
    }
}

/// Parses what follows `RequestId: ` in a `REPORT` line.
fn text_report(rest: &str) -> ReportLine {
    let mut fields = rest.split('\t');
    let mut report = ReportLine {
        request_id: fields.next().unwrap_or_default().to_owned(),
        ..ReportLine::default()
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

fn json_line(line: &str) -> Option<InvocationLine> {
    if !line.contains("\"platform.") {
        return None;
    }
    let line: Value = serde_json::from_str(line).ok()?;
    let record = &line["record"];
    let request_id = record["requestId"].as_str()?.to_owned();
    match line["type"].as_str()? {
        "platform.start" => Some(InvocationLine::Start {
            request_id,
            version: record["version"].as_str()?.to_owned(),
        }),
        "platform.report" => {
            let status = record["status"].as_str();
            let status = status.filter(|status| *status != "success");
            Some(InvocationLine::Report(ReportLine {
                request_id,
                duration_millis: record["metrics"]["durationMs"].as_f64(),
                init_millis: record["metrics"]["initDurationMs"].as_f64(),
                status: status.map(str::to_owned),
            }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::report::{self, InvocationEnd, InvocationReport};
    use super::*;
    use crate::functions::{Configuration, LogFormat};

    #[test]
    fn lines_are_read_as_they_are_written() {
        for log_format in [LogFormat::Text, LogFormat::Json] {
            let start = report::start(log_format, "a", "3");
            let expected = InvocationLine::Start {
                request_id: "a".to_owned(),
                version: "3".to_owned(),
            };
            assert_eq!(InvocationLine::parse(&start), Some(expected), "{start}");
            let configuration = Configuration {
                log_format,
                ..Configuration::default()
            };
            let init = report::init_start(&configuration);
            assert_eq!(InvocationLine::parse(&init), None, "{init}");
            for (ending, init_millis, status) in [
                (InvocationEnd::Success, None, None),
                (InvocationEnd::Success, Some(80.0), None),
                (InvocationEnd::Timeout, None, Some("timeout")),
                (InvocationEnd::Exit("x".to_owned()), None, Some("error")),
                (InvocationEnd::NotStarted, None, Some("error")),
            ] {
                let written = report::end(
                    &configuration,
                    &InvocationReport {
                        request_id: "a",
                        ending: &ending,
                        duration: Duration::from_micros(1_500),
                        init: init_millis.map(|_| Duration::from_millis(80)),
                        peak_memory_mb: 40,
                    },
                );
                let read = written
                    .iter()
                    .filter_map(|line| InvocationLine::parse(line));
                let expected = InvocationLine::Report(ReportLine {
                    request_id: "a".to_owned(),
                    duration_millis: Some(1.5),
                    init_millis,
                    status: status.map(str::to_owned),
                });
                assert_eq!(read.collect::<Vec<_>>(), [expected], "{written:?}");
            }
        }
    }
}
