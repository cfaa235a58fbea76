//! Plays a recording again, and compares what arrives.

mod player;
mod report;
mod wait;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::recording::Recording;
use crate::secret::Secret;
use crate::target::ProbeTarget;

pub use player::replay;
pub use report::{EventResult, ReplayReport, ReplayedConnection, ReplayedEvent};

/// Recording to play, and how.
#[derive(Clone, Debug)]
pub struct ReplayPlan {
    /// The recording.
    pub recording: Recording,
    /// Callers by the numbers of their connections.
    pub callers: BTreeMap<u32, ReplayCaller>,
    /// Values of `<secret-1>` and so on.
    pub secrets: BTreeMap<u32, Secret>,
    /// Longest wait for a message or a close, in addition to the recorded pause.
    pub timeout: Duration,
    /// True to send messages after the recorded pauses; otherwise as soon as what precedes them has arrived.
    pub paced: bool,
    /// True if messages of a connection may arrive in another order.
    pub any_order: bool,
}

/// Caller of a connection.
#[derive(Clone, Debug)]
pub struct ReplayCaller {
    /// Target with the recorded handshake.
    pub target: ProbeTarget,
    /// Token in the target.
    pub token: Option<Secret>,
}
