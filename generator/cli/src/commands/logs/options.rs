//! Request for logs, and options of the output.

use stackgen_diagnose::logs::{LifeFilter, LineLevel, TimeRange};

/// Request for logs.
#[derive(Clone, Debug)]
pub(super) struct LogRequest {
    /// Selection of connections.
    pub(super) filter: LifeFilter,
    /// Range of times.
    pub(super) range: TimeRange,
    /// Current time, in milliseconds since 1970.
    pub(super) now: i64,
    /// Options of the output.
    pub(super) options: LogOptions,
}

/// Options of the output.
#[derive(Clone, Debug)]
pub(super) struct LogOptions {
    /// Show lines as they are.
    pub(super) raw: bool,
    /// Show causes and next steps.
    pub(super) why: bool,
    /// Least level of lines.
    pub(super) level: Option<LineLevel>,
    /// Largest number of connections; 0 for all.
    pub(super) limit: usize,
    /// Search without a question.
    pub(super) yes: bool,
    /// Follow without live tail.
    pub(super) no_live_tail: bool,
}

impl LogOptions {
    /// Returns how many of these connections are shown.
    pub(super) fn shown(&self, connections: usize) -> usize {
        match self.limit {
            0 => connections,
            limit => limit.min(connections),
        }
    }
}
