//! The collector of what is counted.

use std::io::{self, Write};
use std::sync::OnceLock;

use ::metrics::{Unit, describe_counter, describe_histogram};
use metrics_cloudwatch_embedded::{Builder, Collector};
use thiserror::Error;

use super::{
    AUTHORIZATION_REFUSALS, CONNECTIONS, DISCONNECTIONS, FAN_OUT_DURATION, FAN_OUT_FAILED,
    FAN_OUT_GONE, FAN_OUT_SENT, KEY_REFRESHES, REFUSALS,
};

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
