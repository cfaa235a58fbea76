//! CloudWatch Logs: groups, streams and events.

mod pattern;
mod store;

use crate::EpochMillis;
pub use pattern::{Pattern, PatternError};
pub use store::{LogEvent, LogGroup, LogQuery, LogStream, Logs, LogsError};

/// Whoever takes log lines. Functions and access logs know logs by this alone.
pub trait PutLogs: Send + Sync + 'static {
    /// Keeps lines; makes the group and the stream when they are not there.
    fn put(&self, group: &str, stream: &str, at: EpochMillis, lines: Vec<String>);
}
