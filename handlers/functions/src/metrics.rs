//! Metrics.

use std::time::Instant;

use stackgen_websocket::FanOutReport;
use stackgen_websocket::metrics::{
    CONNECTIONS, DISCONNECTIONS, LATE_SHARES, MESSAGE_REFUSALS, REFUSALS, count, count_fan_out,
    count_reason,
};

/// Counts a connection.
pub(crate) fn connected() {
    count(CONNECTIONS);
}

/// Counts a refused handshake.
pub(crate) fn refused(reason: &'static str) {
    count_reason(REFUSALS, reason);
}

/// Counts a disconnection whose record was removed.
pub(crate) fn disconnected() {
    count(DISCONNECTIONS);
}

/// Records the result of a broadcast.
pub(crate) fn fan_out_finished(report: &FanOutReport, since: Instant) {
    count_fan_out(report, since.elapsed());
}

/// Counts a share that came too late.
pub(crate) fn share_late() {
    count(LATE_SHARES);
}

/// Counts a message that was refused or dropped.
pub(crate) fn message_refused(reason: &'static str) {
    count_reason(MESSAGE_REFUSALS, reason);
}
