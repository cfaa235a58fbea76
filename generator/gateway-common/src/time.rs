//! Points in time, in the formats of the services.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

/// The last millisecond of the year 9999. Later times have no format.
const LAST: u64 = 253_402_300_799_999;

const REQUEST_TIME: StaticFormatDescription =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

const ISO_8601: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

const ISO_8601_SECONDS: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Milliseconds since 1970, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct EpochMillis(u64);

impl EpochMillis {
    /// Returns the current time.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        // A clock before 1970 was never set.
        EpochMillis(since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        }))
    }

    /// Creates a timestamp from milliseconds since 1970.
    pub const fn from_millis(millis: u64) -> Self {
        EpochMillis(millis)
    }

    /// Returns the milliseconds since 1970.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns this time plus a duration.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        EpochMillis(
            self.0
                .saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// Returns the duration since `earlier`, or zero if `earlier` is later.
    pub fn since(self, earlier: EpochMillis) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Formats the time as `requestTime` does: `09/Feb/2024:18:11:43 +0000` (row E0).
    pub fn request_time(self) -> String {
        self.format(REQUEST_TIME)
    }

    /// Formats the time as `2024-02-09T18:11:43.123Z` (row K2).
    pub fn iso8601(self) -> String {
        self.format(ISO_8601)
    }

    /// Formats the time without milliseconds: `2024-02-09T18:11:43Z`.
    pub fn iso8601_seconds(self) -> String {
        self.format(ISO_8601_SECONDS)
    }

    fn format(self, format: StaticFormatDescription) -> String {
        let since = Duration::from_millis(self.0.min(LAST));
        let at = OffsetDateTime::UNIX_EPOCH + since;
        at.format(format)
            .expect("a time up to the year 9999 has all parts of these formats")
    }

    /// Returns fractional seconds since 1970, as AWS's JSON protocols have them.
    pub fn as_seconds_f64(self) -> f64 {
        // Exact: milliseconds of this era are far below 2^53.
        self.0 as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_e0_times_are_formatted_like_the_services() {
        let at = EpochMillis::from_millis(1_707_502_303_419);
        assert_eq!(at.request_time(), "09/Feb/2024:18:11:43 +0000");
        assert_eq!(at.iso8601(), "2024-02-09T18:11:43.419Z");
        assert_eq!(at.iso8601_seconds(), "2024-02-09T18:11:43Z");
        let end = EpochMillis::from_millis(u64::MAX);
        assert!(end.iso8601().starts_with("9999-12-31"));
    }
}
