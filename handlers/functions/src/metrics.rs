//! What is counted.

use std::time::Instant;

use stackgen_websocket::Report;
use stackgen_websocket::metrics::{
    CONNECTIONS, DISCONNECTIONS, REFUSALS, count, count_fan_out, count_reason,
};

/// A connection came in.
pub(crate) fn connected() {
    count(CONNECTIONS);
}

/// A handshake was refused.
pub(crate) fn refused(reason: &'static str) {
    count_reason(REFUSALS, reason);
}

/// A connection was closed, and its record removed.
pub(crate) fn disconnected() {
    count(DISCONNECTIONS);
}

/// A message went out to many.
pub(crate) fn fanned_out(report: &Report, since: Instant) {
    count_fan_out(report, since.elapsed());
}
