//! Times as text.

use serde::Serializer;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

const ISO_8601: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Returns a time in ISO 8601, in UTC: `2026-11-22T02:42:52Z`.
pub(crate) fn iso8601(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC)
        .format(ISO_8601)
        .expect("a time has all parts of this format")
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
