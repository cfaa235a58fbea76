//! An event as the log keeps it.

use schemars::JsonSchema;
use serde::Serialize;

use super::Event;
use crate::EpochMillis;

/// An event with its number and its time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecordedEvent {
    /// Number, counted from 1, without gaps.
    pub id: u64,
    /// Time in milliseconds since 1970, UTC.
    #[schemars(with = "u64")]
    pub at: EpochMillis,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}
