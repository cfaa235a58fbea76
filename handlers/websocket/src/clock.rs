//! Time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Returns the time for milliseconds since 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Timestamp(millis)
    }

    /// Returns the milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the whole seconds since 1970, the unit of DynamoDB's TTL attributes.
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Returns the time that is this much later.
    pub const fn after(self, time: Duration) -> Self {
        Timestamp(self.0.saturating_add(time.as_millis() as u64))
    }

    /// Returns the time that is this much earlier, but not before 1970.
    pub const fn before(self, time: Duration) -> Self {
        Timestamp(self.0.saturating_sub(time.as_millis() as u64))
    }

    /// Returns the duration since `earlier`, or zero if `earlier` is later.
    pub const fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A source of the current time. Tests use their own.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(since.as_millis() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_counted_in_milliseconds_and_in_whole_seconds() {
        let moment = Timestamp::from_millis(1_707_502_303_999);
        assert_eq!(moment.as_millis(), 1_707_502_303_999);
        assert_eq!(moment.as_seconds(), 1_707_502_303);
    }

    #[test]
    fn later_and_earlier_saturate() {
        let moment = Timestamp::from_millis(1500);
        let second = Duration::from_secs(1);
        assert_eq!(moment.after(second), Timestamp::from_millis(2500));
        assert_eq!(moment.before(second), Timestamp::from_millis(500));
        assert_eq!(moment.before(2 * second), Timestamp::from_millis(0));
        assert_eq!(moment.since(Timestamp::from_millis(500)), second);
        assert_eq!(moment.since(moment.after(second)), Duration::ZERO);
    }

    #[test]
    fn the_system_clock_is_after_2023() {
        assert!(SystemClock.now() > Timestamp::from_millis(1_700_000_000_000));
    }
}
