//! Local CloudWatch Logs: groups, streams and events.

mod pattern;
mod store;

use crate::EpochMillis;
pub use pattern::{FilterPattern, FilterPatternError};
pub use store::{LogEvent, LogGroupInfo, LogQuery, LogStreamInfo, Logs, LogsError};

/// Receives log lines. Functions and access logs use only this interface.
pub trait PutLogs: Send + Sync + 'static {
    /// Stores lines. Creates the group and the stream if they do not exist.
    fn put(&self, group: &str, stream: &str, at: EpochMillis, lines: Vec<String>);
}
