//! Recorder of metrics.

use std::io::{self, Write};
use std::sync::OnceLock;

use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use thiserror::Error;

use super::{
    AUTHORIZATION_REFUSALS, CIRCUIT_OPENINGS, CIRCUIT_STATE, CONNECTIONS, COUNTS_CORRECTED,
    DISCONNECTIONS, FAN_OUT_ATTEMPTS, FAN_OUT_DURATION, FAN_OUT_FAILED, FAN_OUT_FAILURES,
    FAN_OUT_GONE, FAN_OUT_SENT, GHOSTS_REMOVED, KEY_REFRESH_FAILURES, KEY_REFRESHES, LATE_SHARES,
    MESSAGE_REFUSALS, RECONCILIATIONS_CUT_SHORT, REFUSALS, WRONG_IDS,
};

const COUNTERS: [&str; 18] = [
    CONNECTIONS,
    DISCONNECTIONS,
    REFUSALS,
    WRONG_IDS,
    MESSAGE_REFUSALS,
    AUTHORIZATION_REFUSALS,
    KEY_REFRESHES,
    KEY_REFRESH_FAILURES,
    GHOSTS_REMOVED,
    COUNTS_CORRECTED,
    RECONCILIATIONS_CUT_SHORT,
    LATE_SHARES,
    FAN_OUT_SENT,
    FAN_OUT_GONE,
    FAN_OUT_FAILED,
    FAN_OUT_FAILURES,
    FAN_OUT_ATTEMPTS,
    CIRCUIT_OPENINGS,
];

/// The process has a metrics recorder already.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("metrics are installed in this process already")]
pub struct AlreadyInstalled;

static COLLECTOR: OnceLock<&'static Collector> = OnceLock::new();

/// Starts to collect metrics for a namespace such as `LiveSession`.
///
/// # Errors
///
/// Fails if the process has a metrics recorder already.
pub fn install(namespace: &str, function_name: &str) -> Result<(), AlreadyInstalled> {
    let collector = Builder::new()
        .cloudwatch_namespace(namespace.to_owned())
        .with_dimension("FunctionName", function_name.to_owned())
        .init()
        .map_err(|_| AlreadyInstalled)?;
    for name in COUNTERS {
        describe_counter!(name, Unit::Count, "");
    }
    describe_gauge!(CIRCUIT_STATE, Unit::Count, "");
    describe_histogram!(FAN_OUT_DURATION, Unit::Milliseconds, "");
    COLLECTOR.set(collector).map_err(|_| AlreadyInstalled)
}

/// Adds the invocation's ID to all further lines of metrics.
pub fn set_invocation(lambda_request_id: &str) {
    if let Some(collector) = COLLECTOR.get() {
        collector.set_property("lambdaRequestId", lambda_request_id);
    }
}

/// Writes the metrics since the last call, if there are any.
///
/// # Errors
///
/// Fails if the writer fails.
pub fn flush(writer: impl Write) -> io::Result<()> {
    match COLLECTOR.get() {
        Some(collector) => collector.flush(writer),
        None => Ok(()),
    }
}
