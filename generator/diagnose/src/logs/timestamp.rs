//! Times of Logs Insights and of command lines.

use time::{Date, Month, Time, UtcDateTime};

/// Parses a time in UTC, such as `2026-11-30 08:00:00.123` or `2026-11-30T08:00:00Z`, as milliseconds since 1970.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    const FORM: &[u8] = b"0000-00-00T00:00:00.000";
    let text = text.strip_suffix('Z').unwrap_or(text);
    let has_form = text.bytes().zip(FORM).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b' '),
        other => byte == *other,
    });
    if !has_form || !(text.len() == 19 || text.len() == FORM.len()) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    let small = |range| u8::try_from(number(range)?).ok();
    let month = Month::try_from(small(5..7)?).ok()?;
    let date = Date::from_calendar_date(i32::from(number(0..4)?), month, small(8..10)?).ok()?;
    let millis = number(20..23).unwrap_or_default();
    let time = Time::from_hms_milli(small(11..13)?, small(14..16)?, small(17..19)?, millis).ok()?;
    let seconds = UtcDateTime::new(date, time).unix_timestamp();
    Some(seconds * 1000 + i64::from(millis))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_of_the_clock_are_parsed_and_others_are_not() {
        for (text, at) in [
            ("2026-11-30 08:00:00.123", Some(1_796_025_600_123)),
            ("2026-11-30T08:00:00Z", Some(1_796_025_600_000)),
            ("1970-01-01 00:00:00.000", Some(0)),
            ("1969-12-31 23:59:59.999", Some(-1)),
            ("2026-11-30T99:99:99Z", None),
            ("2026-11-30T24:00:00Z", None),
            ("2026-02-30T08:00:00Z", None),
            ("2026-11-30T08:00:00.1", None),
            ("2026-11-30T+8:00:00Z", None),
            ("2026-11-30x08:00:00Z", None),
            ("2026-11-30T08:00:00ZZ", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse_timestamp(text), at, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[0-9T:.Z -]{0,26}|.{0,30}") {
            let _ = parse_timestamp(&text);
        }
    }
}
