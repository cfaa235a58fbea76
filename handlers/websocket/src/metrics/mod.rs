//! Metrics: CloudWatch's embedded metric format, one line a function's invocation and set of dimensions.
//!
//! Lambda sends what a function writes to stdout to CloudWatch Logs, which makes metrics of such lines: no call, no
//! permission, no waiting. Every metric has the dimension `FunctionName`, which tells environments apart, too.
//!
//! Where nothing was [installed](install), counting does nothing: tests and libraries need not care.

#[cfg(feature = "lambda")]
mod embedded;

use std::time::Duration;

use ::metrics::{counter, histogram};

use crate::Report;
#[cfg(feature = "lambda")]
pub use embedded::{AlreadyInstalled, flush, install, set_invocation};

/// Connections that were let in.
pub const CONNECTIONS: &str = "Connections";
/// Connections that were closed.
pub const DISCONNECTIONS: &str = "Disconnections";
/// Connections that were refused, by [`REASON`].
pub const REFUSALS: &str = "Refusals";
/// Callers whose token was refused; why, is in the log.
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
