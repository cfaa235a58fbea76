//! Metrics in CloudWatch's embedded metric format: one line per invocation and set of dimensions.
//!
//! Lambda sends stdout to CloudWatch Logs, which extracts metrics from such lines, without a call, a permission or a
//! wait. Every metric has the dimension `FunctionName`, which also distinguishes environments.
//!
//! Without [`install`], counting has no effect, as in tests.

#[cfg(feature = "lambda")]
mod embedded;

use std::time::Duration;

use ::metrics::{counter, gauge, histogram};

use crate::{CircuitState, FanOutReport};
#[cfg(feature = "lambda")]
pub use embedded::{AlreadyInstalled, flush, install, set_invocation};

/// Admitted connections.
pub const CONNECTIONS: &str = "Connections";
/// Closed connections.
pub const DISCONNECTIONS: &str = "Disconnections";
/// Refused connections, by [`REASON`].
pub const REFUSALS: &str = "Refusals";
/// IDs of rooms, sessions or the like that callers named and that do not exist.
pub const WRONG_IDS: &str = "WrongIds";
/// Messages that were refused or dropped because a connection sent too many, by [`REASON`].
pub const MESSAGE_REFUSALS: &str = "MessageRefusals";
/// Callers whose token was refused. The log contains the reason.
pub const AUTHORIZATION_REFUSALS: &str = "AuthorizationRefusals";
/// Fetches of the issuer's keys.
pub const KEY_REFRESHES: &str = "KeyRefreshes";
/// Fetches of the issuer's keys that failed. While they fail, cached keys stay in use, and new keys are unknown.
pub const KEY_REFRESH_FAILURES: &str = "KeyRefreshFailures";
/// Connections that a message reached.
pub const FAN_OUT_SENT: &str = "FanOutSent";
/// Connections that were found closed.
pub const FAN_OUT_GONE: &str = "FanOutGone";
/// Connections that a message did not reach.
pub const FAN_OUT_FAILED: &str = "FanOutFailed";
/// Connections that a message did not reach, by [`REASON`].
pub const FAN_OUT_FAILURES: &str = "FanOutFailures";
/// Posts of messages, with retries. Each counts in the account's request limit.
pub const FAN_OUT_ATTEMPTS: &str = "FanOutAttempts";
/// Times that a [circuit breaker](crate::CircuitBreaker) stopped posts.
pub const CIRCUIT_OPENINGS: &str = "CircuitOpenings";
/// State of the circuit breaker when it changed: 0 closed, 0.5 half-open, 1 open.
pub const CIRCUIT_STATE: &str = "CircuitState";
/// Duration of a fan-out.
pub const FAN_OUT_DURATION: &str = "FanOutDuration";

/// Dimension of refusals and failures: a keyword such as `full` or `throttled`. Keep the set of keywords small, because each is a billed metric.
pub const REASON: &str = "Reason";

/// Connections that a reconciler found closed, and whose records it removed.
pub const GHOSTS_REMOVED: &str = "GhostsRemoved";
/// Numbers that a reconciler corrected because they differed from the records.
pub const COUNTS_CORRECTED: &str = "CountsCorrected";
/// Runs of a reconciler that did not get through all records.
pub const RECONCILIATIONS_CUT_SHORT: &str = "ReconciliationsCutShort";
/// Shares of an audience that were dropped because their message was too old.
pub const LATE_SHARES: &str = "LateShares";

/// Increments a counter by a number.
pub fn count_many(name: &'static str, number: u64) {
    counter!(name).increment(number);
}

/// Increments a counter.
pub fn count(name: &'static str) {
    counter!(name).increment(1);
}

/// Increments a counter for a [reason](REASON).
pub fn count_reason(name: &'static str, reason: &'static str) {
    counter!(name, REASON => reason).increment(1);
}

/// Records the result of a fan-out and its duration.
pub fn count_fan_out(report: &FanOutReport, took: Duration) {
    counter!(FAN_OUT_SENT).increment(report.sent as u64);
    counter!(FAN_OUT_GONE).increment(report.gone.len() as u64);
    counter!(FAN_OUT_FAILED).increment(report.failed.len() as u64);
    counter!(FAN_OUT_ATTEMPTS).increment(report.attempts as u64);
    for (_, error) in &report.failed {
        count_reason(FAN_OUT_FAILURES, error.reason());
    }
    histogram!(FAN_OUT_DURATION).record(took.as_secs_f64() * 1000.0);
}

/// Records the new state of a circuit breaker, and counts its openings.
pub fn count_circuit(state: CircuitState) {
    if state == CircuitState::Open {
        count(CIRCUIT_OPENINGS);
    }
    gauge!(CIRCUIT_STATE).set(match state {
        CircuitState::Closed => 0.0,
        CircuitState::HalfOpen => 0.5,
        CircuitState::Open => 1.0,
    });
}
