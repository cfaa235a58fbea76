//! Metrics: CloudWatch's embedded metric format, one line a function's invocation and set of dimensions.
//!
//! Lambda sends what a function writes to stdout to CloudWatch Logs, which makes metrics of such lines: no call, no
//! permission, no waiting. Every metric has the dimension `FunctionName`, which tells environments apart, too.
//!
//! Where nothing was [installed](install), counting does nothing: tests and libraries need not care.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::Duration;

use ::metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use thiserror::Error;

use crate::Report;

/// Connections that were let in.
pub const CONNECTIONS: &str = "Connections";
/// Connections that were closed.
pub const DISCONNECTIONS: &str = "Disconnections";
/// Connections that were refused, by [`REASON`].
pub const REFUSALS: &str = "Refusals";
/// Callers whose token was refused, by [`REASON`].
pub const AUTHORIZATION_REFUSALS: &str = "AuthorizationRefusals";
/// How often the issuer's keys were fetched.
pub const KEY_REFRESHES: &str = "KeyRefreshes";
/// How many connections a message reached.
pub const FAN_OUT_SENT: &str = "FanOutSent";
/// How many connections turned out to be closed.
pub const FAN_OUT_GONE: &str = "FanOutGone";
/// How many connections a message did not reach.
pub const FAN_OUT_FAILED: &str = "FanOutFailed";
/// How long it took to reach everybody.
pub const FAN_OUT_DURATION: &str = "FanOutDuration";

/// The dimension of a refusal: a word such as `full`, one of few. Every word is a metric that is paid for.
pub const REASON: &str = "Reason";

const COUNTERS: [&str; 8] = [
    CONNECTIONS,
    DISCONNECTIONS,
    REFUSALS,
    AUTHORIZATION_REFUSALS,
    KEY_REFRESHES,
    FAN_OUT_SENT,
    FAN_OUT_GONE,
    FAN_OUT_FAILED,
];

/// Metrics are installed in this process already.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("metrics are installed in this process already")]
pub struct AlreadyInstalled;

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Collects from now on what is counted in this process, for a namespace such as `LiveSession`.
///
/// # Errors
///
/// If something collects already: there is one recorder a process.
pub fn install(namespace: &str, function_name: &str) -> Result<(), AlreadyInstalled> {
    let collector = Builder::new()
        .cloudwatch_namespace(namespace.to_owned())
        .with_dimension("FunctionName", function_name.to_owned())
        .init()
        .map_err(|_| AlreadyInstalled)?;
    for name in COUNTERS {
        describe_counter!(name, Unit::Count, "");
    }
    describe_histogram!(FAN_OUT_DURATION, Unit::Milliseconds, "");
    COLLECTOR.set(collector).map_err(|_| AlreadyInstalled)
}

/// Counts something that happened.
pub fn count(name: &'static str) {
    counter!(name).increment(1);
}

/// Counts a refusal and its [reason](REASON).
pub fn count_reason(name: &'static str, reason: &'static str) {
    counter!(name, REASON => reason).increment(1);
}

/// Counts what came of a fan-out, and how long it took.
pub fn count_fan_out(report: &Report, took: Duration) {
    counter!(FAN_OUT_SENT).increment(report.sent as u64);
    counter!(FAN_OUT_GONE).increment(report.gone.len() as u64);
    counter!(FAN_OUT_FAILED).increment(report.failed.len() as u64);
    histogram!(FAN_OUT_DURATION).record(took.as_secs_f64() * 1000.0);
}

/// Says on every line from now on which invocation it is of.
pub fn set_invocation(lambda_request_id: &str) {
    if let Some(collector) = COLLECTOR.get() {
        collector.set_property("lambdaRequestId", lambda_request_id);
    }
}

/// Writes what was counted since the last time, if anything was.
///
/// # Errors
///
/// The writer's.
pub fn flush(writer: impl Write) -> io::Result<()> {
    match COLLECTOR.get() {
        Some(collector) => collector.flush(writer),
        None => Ok(()),
    }
}
