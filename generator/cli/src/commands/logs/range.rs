//! Times on the command line.

use stackgen_deploy::OffsetDateTime;
use stackgen_diagnose::logs::{TimeRange, parse_timestamp};

use crate::error::CliError;
use crate::values::duration;

/// A time, or a duration before now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimeArg {
    /// Milliseconds before now.
    Ago(i64),
    /// Milliseconds since 1970.
    At(i64),
}

/// Parses a time.
pub(super) fn parse(text: &str) -> Result<TimeArg, String> {
    if let Some(at) = parse_timestamp(text) {
        return Ok(TimeArg::At(at));
    }
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok());
    let millis = match days {
        Some(days) => Some(i64::from(days) * 86_400_000),
        None => duration(text)
            .ok()
            .and_then(|duration| i64::try_from(duration.as_millis()).ok()),
    };
    millis.map(TimeArg::Ago).ok_or_else(|| {
        "write a duration such as `90s`, `10m`, `2h`, `7d`, or a UTC time such as `2026-11-30T08:00:00Z`"
            .to_owned()
    })
}

/// Returns a range.
pub(super) fn range(
    since: &TimeArg,
    until: Option<&TimeArg>,
    now: i64,
) -> Result<TimeRange, CliError> {
    let at = |time: &TimeArg| match time {
        TimeArg::Ago(millis) => now - millis,
        TimeArg::At(at) => *at,
    };
    let (start, end) = (at(since), until.map(at));
    if end.unwrap_or(now) < start {
        return Err(CliError::input("the range ends before it begins")
            .hint("`--since` is the earlier time, and times are in UTC"));
    }
    Ok(TimeRange { start, end })
}

/// Returns the milliseconds since 1970.
pub(super) fn millis(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// Formats the time of day in UTC, with milliseconds.
pub(super) fn time_of_day(at: i64) -> String {
    let day = at.rem_euclid(86_400_000);
    let (seconds, millis) = (day / 1000, day % 1000);
    format!(
        "{:02}:{:02}:{:02}.{millis:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Formats a date in UTC.
pub(super) fn date(at: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at.div_euclid(1000));
    time.map_or_else(|_| "?".to_owned(), |time| time.date().to_string())
}

/// Formats a time in ISO 8601.
pub(super) fn iso8601(at: i64) -> String {
    format!("{}T{}Z", date(at), time_of_day(at))
}
