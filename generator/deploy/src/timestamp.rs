//! Times as text.

use serde::Serializer;
use time::{OffsetDateTime, UtcOffset};

/// Returns a time in ISO 8601, in UTC: `2026-11-22T02:42:52Z`.
///
/// The crate's own formatter is a feature that nothing else uses. It would not be shorter.
pub(crate) fn iso8601(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = at.to_hms();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

pub(crate) fn serialize<S: Serializer>(
    at: &OffsetDateTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&iso8601(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_8601() {
        let at = |seconds| iso8601(OffsetDateTime::from_unix_timestamp(seconds).unwrap());
        let times = [0, 951_782_400, 1_709_164_799, 1_795_315_372, -1].map(at);
        insta::assert_snapshot!(times.join("\n"), @r"
        1970-01-01T00:00:00Z
        2000-02-29T00:00:00Z
        2024-02-28T23:59:59Z
        2026-11-22T02:42:52Z
        1969-12-31T23:59:59Z
        ");
    }
}
