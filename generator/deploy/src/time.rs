//! Moments.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// A moment in whole seconds since 1970, which is what API Gateway tells of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// How long before `now` it was; zero for what lies ahead, since clocks differ.
    pub fn age(self, now: Timestamp) -> Duration {
        Duration::from_secs(u64::try_from(now.0 - self.0).unwrap_or_default())
    }
}

/// ISO 8601 in UTC: `2026-11-22T02:42:52Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The date of a day counted from 1970, by eras of 400 years that begin in March, so that leap days come last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_iso_8601() {
        let shown =
            [0, 951_782_400, 1_709_164_799, 1_795_315_372, -1].map(|at| Timestamp(at).to_string());
        insta::assert_snapshot!(shown.join("\n"), @r"
        1970-01-01T00:00:00Z
        2000-02-29T00:00:00Z
        2024-02-28T23:59:59Z
        2026-11-22T02:42:52Z
        1969-12-31T23:59:59Z
        ");
    }
}
