//! Settings of asynchronous invocations.

use std::time::Duration;

/// Settings of the asynchronous invocations of a version, an alias or `$LATEST`: `EventInvokeConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsyncSettings {
    /// Number of retries of a failed invocation.
    pub retries: u32,
    /// Age after which an event is not retried.
    pub max_age: Duration,
}

impl Default for AsyncSettings {
    fn default() -> Self {
        AsyncSettings {
            retries: 2,
            max_age: Duration::from_secs(6 * 60 * 60),
        }
    }
}
