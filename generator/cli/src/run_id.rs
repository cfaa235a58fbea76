//! IDs of runs.

use std::time::SystemTime;

/// Returns an ID that no other run has.
pub(crate) fn run_id() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_nanos());
    format!("{now:x}-{:x}", std::process::id())
}
