//! Date and time of a calendar: `2026-01-31T08:30:00`.

use super::ScheduleExpressionError;
use super::cron::days_in_month;

/// Returns the seconds since 1970 of a date and time in UTC.
///
/// # Errors
///
/// If the text is not a date and a time of a calendar.
pub(super) fn parse_unix(text: &str) -> Result<u64, ScheduleExpressionError> {
    parts(text)
        .and_then(unix)
        .ok_or(ScheduleExpressionError::At)
}

/// Returns year, month, day, hour, minute and second.
fn parts(text: &str) -> Option<[u16; 6]> {
    let (date, time) = text.split_once('T')?;
    let mut fields = Vec::new();
    for (part, sign, lengths) in [(date, '-', [4, 2, 2]), (time, ':', [2, 2, 2])] {
        let numbers: Vec<&str> = part.split(sign).collect();
        if numbers.len() != lengths.len() {
            return None;
        }
        for (number, length) in numbers.into_iter().zip(lengths) {
            let is_number =
                number.len() == length && number.bytes().all(|byte| byte.is_ascii_digit());
            fields.push(number.parse().ok().filter(|_| is_number)?);
        }
    }
    fields.try_into().ok()
}

fn unix([year, month, day, hour, minute, second]: [u16; 6]) -> Option<u64> {
    let is_date = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let months = (1970..year).flat_map(|year| (1..=12).map(move |month| (year, month)));
    let months = months.chain((1..month).map(|month| (year, month)));
    let days = months.map(|(year, month)| u64::from(days_in_month(year, month)));
    let days = days.sum::<u64>() + u64::from(day - 1);
    let minutes = (days * 24 + u64::from(hour)) * 60 + u64::from(minute);
    Some(minutes * 60 + u64::from(second))
}

#[cfg(test)]
mod tests {
    use super::super::CivilMinute;
    use super::*;

    #[test]
    fn a_date_and_a_time_are_seconds_since_1970() {
        assert_eq!(parse_unix("1970-01-01T00:00:00"), Ok(0));
        assert_eq!(parse_unix("2026-02-28T01:01:01"), Ok(1_772_240_461));
        assert_eq!(parse_unix("2000-02-29T00:00:00"), Ok(951_782_400));
    }

    #[test]
    fn other_texts_are_no_date_and_time() {
        for text in [
            "",
            "2026-02-28",
            "2026-02-28T01:01",
            "2026-02-28 01:01:01",
            "2026-02-28T01:01:01Z",
            "2026-02-29T00:00:00",
            "2026-13-01T00:00:00",
            "2026-00-01T00:00:00",
            "2026-01-00T00:00:00",
            "1969-01-01T00:00:00",
            "2026-01-01T24:00:00",
            "2026-01-01T00:60:00",
            "2026-01-01T00:00:60",
            "2026-1-01T00:00:00",
            "+026-01-01T00:00:00",
        ] {
            assert_eq!(parse_unix(text), Err(ScheduleExpressionError::At), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_minute_is_the_one_of_its_text(minutes in 0..4_000_000_000_u64 / 60) {
            let at = CivilMinute::from_unix(minutes * 60);
            proptest::prop_assert_eq!(parse_unix(&format!("{at}:00")), Ok(minutes * 60));
        }
    }
}
