//! How much and how long.

use std::time::Duration;

/// The longest that API Gateway keeps a connection open (row M14).
pub const MAX_CONNECTION: Duration = Duration::from_secs(2 * 3600);

/// How long a session may last, whoever connects and reconnects. After that it is over, ended or not.
pub const MAX_SESSION: Duration = Duration::from_secs(24 * 3600);

/// How long after its session's end, at the latest, a connection's record may be swept from the table: later than any
/// connection of the session can live. A table's time to live therefore never takes a record that is still counted.
pub const RECORD_GRACE: Duration = Duration::from_secs(3 * 3600);

/// How long after its end, at the latest, a session may be swept from the table: a week, so that its records go first
/// (DynamoDB takes a few days), and that people can look a session up for some time after it ended.
pub const SESSION_GRACE: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a deployment may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many listeners a session may have at once.
    pub listeners: u32,
    /// Above how many listeners audio is sent by further invocations.
    pub listeners_per_invocation: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            listeners: 500,
            listeners_per_invocation: 250,
        }
    }
}
