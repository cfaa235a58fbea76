//! What Lambda says of invocations: its errors and its log lines.

use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use stackgen_gateway_common::EpochMillis;

use super::super::{Configuration, LogFormat};

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// With an answer.
    Success,
    /// With an error of this type, which the function told.
    Thrown(String),
    /// With the end of its process, for this reason.
    Exit(String),
    /// Before it began: the process told that it cannot start.
    NotStarted,
    /// With the end of its time.
    Timeout,
}

/// `{"errorType": …, "errorMessage": …}`.
pub(super) fn error(kind: &str, message: &str) -> Bytes {
    json!({ "errorType": kind, "errorMessage": message })
        .to_string()
        .into()
}

/// The error of an invocation whose time was up.
pub(super) fn timed_out(request_id: &str, timeout: Duration) -> Bytes {
    let seconds = timeout.as_secs_f64();
    let message =
        format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds");
    error("Sandbox.Timedout", &message)
}

/// The error of an invocation whose process ended.
pub(super) fn exited(request_id: &str, reason: &str) -> Bytes {
    error(
        "Runtime.ExitError",
        &format!("RequestId: {request_id} Error: {reason}"),
    )
}

/// How a process ended, in Lambda's words.
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

/// The first line of an environment.
pub(super) fn init_start(configuration: &Configuration) -> String {
    match configuration.log_format {
        LogFormat::Text => format!("INIT_START Runtime Version: {}", configuration.runtime),
        LogFormat::Json => platform(
            "initStart",
            json!({ "initializationType": "on-demand", "phase": "init", "runtimeVersion": configuration.runtime }),
        ),
    }
}

/// The line of an environment that did not come up.
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

/// `START`.
pub(super) fn start(format: LogFormat, request_id: &str, version: &str) -> String {
    match format {
        LogFormat::Text => format!("START RequestId: {request_id} Version: {version}"),
        LogFormat::Json => platform(
            "start",
            json!({ "requestId": request_id, "version": version }),
        ),
    }
}

/// What a report tells.
pub(super) struct Report<'a> {
    pub(super) request_id: &'a str,
    pub(super) ending: &'a Ending,
    pub(super) duration: Duration,
    pub(super) init: Option<Duration>,
    /// The most memory that the process used, in MB.
    pub(super) used: u64,
}

/// `END` and `REPORT`, and before them what Lambda says of a time-out or a process that ended.
pub(super) fn end(configuration: &Configuration, report: &Report<'_>) -> Vec<String> {
    let id = report.request_id;
    let mut lines = match (report.ending, configuration.log_format) {
        (Ending::Timeout, LogFormat::Text) => vec![format!(
            "{} {id} Task timed out after {:.2} seconds",
            EpochMillis::now().iso8601(),
            configuration.timeout.as_secs_f64()
        )],
        (Ending::Exit(reason), LogFormat::Text) => vec![
            format!("RequestId: {id} Error: {reason}"),
            "Runtime.ExitError".to_owned(),
        ],
        _ => Vec::new(),
    };
    let duration = report.duration.as_secs_f64() * 1000.0;
    let init = report.init.map(|init| init.as_secs_f64() * 1000.0);
    let billed = (duration + init.unwrap_or_default()).ceil();
    let memory = configuration.memory_size;
    let used = report.used;
    let status = match report.ending {
        Ending::Success | Ending::Thrown(_) => None,
        Ending::Exit(_) => Some(("error", Some("Runtime.ExitError"))),
        Ending::NotStarted => Some(("error", Some("Runtime.InitError"))),
        Ending::Timeout => Some(("timeout", None)),
    };
    if configuration.log_format == LogFormat::Json {
        let mut record = json!({
            "requestId": id,
            "metrics": {
                "durationMs": duration, "billedDurationMs": billed, "memorySizeMB": memory, "maxMemoryUsedMB": used,
            },
            "status": match report.ending { Ending::Thrown(_) => "error", _ => status.map_or("success", |status| status.0) },
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
         Max Memory Used: {used} MB{init}{status}"
    ));
    lines
}

fn platform(kind: &str, record: serde_json::Value) -> String {
    json!({ "time": EpochMillis::now().iso8601(), "type": format!("platform.{kind}"), "record": record }).to_string()
}
