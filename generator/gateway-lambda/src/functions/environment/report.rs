//! Lambda's own errors and log lines about invocations.

use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use stackgen_gateway_common::EpochMillis;

use super::super::{Configuration, LogFormat};

/// End of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InvocationEnd {
    /// The function answered.
    Success,
    /// The function reported an error of this type.
    Thrown(String),
    /// The process exited for this reason.
    Exit(String),
    /// The process reported that it cannot start.
    NotStarted,
    /// The function timed out.
    Timeout,
}

/// Returns `{"errorType": …, "errorMessage": …}`.
pub(super) fn error(kind: &str, message: &str) -> Bytes {
    json!({ "errorType": kind, "errorMessage": message })
        .to_string()
        .into()
}

/// Returns an error of the Runtime API in words, such as `Error: on purpose`.
pub(super) fn in_words(error: &[u8]) -> String {
    let parsed: serde_json::Value = serde_json::from_slice(error).unwrap_or_default();
    match (
        parsed["errorType"].as_str(),
        parsed["errorMessage"].as_str(),
    ) {
        (Some(kind), Some(message)) => {
            // Node lists the files that required a missing module.
            let message = message.split("\nRequire stack:").next().unwrap_or_default();
            format!("{kind}: {}", message.replace('\n', " "))
        }
        _ => String::from_utf8_lossy(error).into_owned(),
    }
}

/// Returns the error of an invocation that timed out.
pub(super) fn timed_out(request_id: &str, timeout: Duration) -> Bytes {
    let seconds = timeout.as_secs_f64();
    let message =
        format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds");
    error("Sandbox.Timedout", &message)
}

/// Returns the error of an invocation whose process exited.
pub(super) fn exited(request_id: &str, reason: &str) -> Bytes {
    error(
        "Runtime.ExitError",
        &format!("RequestId: {request_id} Error: {reason}"),
    )
}

/// Returns the reason for the end of a process in Lambda's words.
pub(super) fn exit_reason(status: Option<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    let Some(status) = status else {
        return "Runtime exited without providing a reason".to_owned();
    };
    match (status.code(), status.signal()) {
        (Some(0), _) | (None, None) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => {
            format!("Runtime exited with error: signal: {}", signal_name(signal))
        }
    }
}

fn signal_name(signal: i32) -> String {
    match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        8 => "floating point exception",
        9 => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        15 => "terminated",
        other => return format!("signal {other}"),
    }
    .to_owned()
}

/// Returns the first line of an environment: `INIT_START`.
pub(super) fn init_start(configuration: &Configuration) -> String {
    match configuration.log_format {
        LogFormat::Text => format!("INIT_START Runtime Version: {}", configuration.runtime),
        LogFormat::Json => platform(
            "initStart",
            json!({ "initializationType": "on-demand", "phase": "init", "runtimeVersion": configuration.runtime }),
        ),
    }
}

/// Returns the line of an environment that did not start: `INIT_REPORT`.
pub(super) fn init_report(format: LogFormat, took: Duration, status: &str, kind: &str) -> String {
    let millis = took.as_secs_f64() * 1000.0;
    match format {
        LogFormat::Text => format!(
            "INIT_REPORT Init Duration: {millis:.2} ms\tPhase: init\tStatus: {status}\tError Type: {kind}"
        ),
        LogFormat::Json => platform(
            "initReport",
            json!({
                "initializationType": "on-demand", "phase": "init", "status": status, "errorType": kind,
                "metrics": { "durationMs": millis },
            }),
        ),
    }
}

/// Returns the first line of an invocation: `START`.
pub(super) fn start(format: LogFormat, request_id: &str, version: &str) -> String {
    match format {
        LogFormat::Text => format!("START RequestId: {request_id} Version: {version}"),
        LogFormat::Json => platform(
            "start",
            json!({ "requestId": request_id, "version": version }),
        ),
    }
}

/// Values of a `REPORT` line.
pub(super) struct InvocationReport<'a> {
    pub(super) request_id: &'a str,
    pub(super) ending: &'a InvocationEnd,
    pub(super) duration: Duration,
    pub(super) init: Option<Duration>,
    /// Peak memory of the process in MB.
    pub(super) peak_memory_mb: u64,
}

/// Returns the last lines of an invocation, `END` and `REPORT`. Before them are the lines about a timeout or an exited
/// process.
pub(super) fn end(configuration: &Configuration, report: &InvocationReport<'_>) -> Vec<String> {
    let id = report.request_id;
    let mut lines = match (report.ending, configuration.log_format) {
        (InvocationEnd::Timeout, LogFormat::Text) => vec![format!(
            "{} {id} Task timed out after {:.2} seconds",
            EpochMillis::now().iso8601(),
            configuration.timeout.as_secs_f64()
        )],
        (InvocationEnd::Exit(reason), LogFormat::Text) => vec![
            format!("RequestId: {id} Error: {reason}"),
            "Runtime.ExitError".to_owned(),
        ],
        _ => Vec::new(),
    };
    let duration = report.duration.as_secs_f64() * 1000.0;
    let init = report.init.map(|init| init.as_secs_f64() * 1000.0);
    let billed = (duration + init.unwrap_or_default()).ceil();
    let memory = configuration.memory_size;
    let peak_memory_mb = report.peak_memory_mb;
    let status = match report.ending {
        InvocationEnd::Success | InvocationEnd::Thrown(_) => None,
        InvocationEnd::Exit(_) => Some(("error", Some("Runtime.ExitError"))),
        InvocationEnd::NotStarted => Some(("error", Some("Runtime.InitError"))),
        InvocationEnd::Timeout => Some(("timeout", None)),
    };
    if configuration.log_format == LogFormat::Json {
        let mut record = json!({
            "requestId": id,
            "metrics": {
                "durationMs": duration, "billedDurationMs": billed, "memorySizeMB": memory, "maxMemoryUsedMB": peak_memory_mb,
            },
            "status": match report.ending { InvocationEnd::Thrown(_) => "error", _ => status.map_or("success", |status| status.0) },
        });
        if let Some(init) = init {
            record["metrics"]["initDurationMs"] = json!(init);
        }
        lines.push(platform("report", record));
        return lines;
    }
    let init = init.map_or_else(String::new, |init| format!("\tInit Duration: {init:.2} ms"));
    let status = match status {
        None => String::new(),
        Some((status, None)) => format!("\tStatus: {status}"),
        Some((status, Some(kind))) => format!("\tStatus: {status}\tError Type: {kind}"),
    };
    lines.push(format!("END RequestId: {id}"));
    lines.push(format!(
        "REPORT RequestId: {id}\tDuration: {duration:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {memory} MB\t\
         Max Memory Used: {peak_memory_mb} MB{init}{status}"
    ));
    lines
}

fn platform(kind: &str, record: serde_json::Value) -> String {
    json!({ "time": EpochMillis::now().iso8601(), "type": format!("platform.{kind}"), "record": record }).to_string()
}
