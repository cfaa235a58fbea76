//! Expressions of EventBridge schedules: `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)` and `at(2026-01-31T08:30:00)`.

mod civil;
mod cron;
mod field;

use std::time::Duration;

use thiserror::Error;

pub use cron::{CivilMinute, CronExpression};

/// Expression that says when a schedule runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleExpression {
    /// Time between two runs.
    Rate(Duration),
    /// Minutes at which it runs.
    Cron(Box<CronExpression>),
    /// Time at which it runs once: the seconds since 1970 if it is in UTC.
    At(u64),
}

/// Error of a text that is not a [`ScheduleExpression`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScheduleExpressionError {
    /// The text is neither a rate nor a cron expression.
    #[error("it is neither `rate(…)` nor `cron(…)`")]
    UnknownForm,
    /// The time of a one-time schedule is not one.
    #[error("a time is a date of the calendar with a time of the day: `at(2026-01-31T08:30:00)`")]
    At,
    /// A rate lacks a number or a unit.
    #[error("a rate is a whole number of at least 1 and `minutes`, `hours` or `days`")]
    Rate,
    /// The unit of a rate does not match its number.
    #[error("the unit of a rate of 1 is singular, and every other one is plural")]
    Plural,
    /// A cron expression does not have six fields.
    #[error(
        "it has {0} fields, and a cron expression has six: minutes, hours, day of month, month, day of week, year"
    )]
    Fields(usize),
    /// Neither the day of the month nor that of the week is `?`, or both are.
    #[error("one of day of month and day of week must be `?`, and only one")]
    Days,
    /// A field has a value that it cannot have.
    #[error("`{text}` is not a value of {field}, which are {range}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// Its text.
        text: String,
        /// Its values.
        range: &'static str,
    },
}

impl ScheduleExpression {
    /// Parses an expression of EventBridge Scheduler, which may also be a single time.
    ///
    /// # Errors
    ///
    /// Returns an error if EventBridge Scheduler would refuse the expression.
    pub fn parse_with_time(text: &str) -> Result<Self, ScheduleExpressionError> {
        match argument(text, "at") {
            Some(time) => civil::parse_unix(time).map(ScheduleExpression::At),
            None => ScheduleExpression::parse(text),
        }
    }

    /// Parses an expression of a rule: a rate or a cron expression.
    ///
    /// # Errors
    ///
    /// Returns an error if EventBridge would refuse the expression.
    pub fn parse(text: &str) -> Result<Self, ScheduleExpressionError> {
        if let Some(rate) = argument(text, "rate") {
            return parse_rate(rate).map(ScheduleExpression::Rate);
        }
        let cron = argument(text, "cron").ok_or(ScheduleExpressionError::UnknownForm)?;
        let cron = CronExpression::parse(cron)?;
        Ok(ScheduleExpression::Cron(Box::new(cron)))
    }
}

/// Returns the text in the parentheses after a name.
fn argument<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.strip_prefix(name)?
        .strip_prefix('(')?
        .strip_suffix(')')
}

/// Parses a date and a time, with or without a `Z` for UTC and parts of a second, which are dropped. Returns the seconds since
/// 1970.
///
/// # Errors
///
/// If the text is not a date and a time of a calendar.
pub fn parse_utc(text: &str) -> Result<u64, ScheduleExpressionError> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (text, part) = text.split_once('.').unwrap_or((text, ""));
    match part.bytes().all(|byte| byte.is_ascii_digit()) {
        true => civil::parse_unix(text),
        false => Err(ScheduleExpressionError::At),
    }
}

fn parse_rate(text: &str) -> Result<Duration, ScheduleExpressionError> {
    let mut words = text.split(' ');
    let (Some(number), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return Err(ScheduleExpressionError::Rate);
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u32 = number
        .parse()
        .ok()
        .filter(|number| is_number && *number > 0)
        .ok_or(ScheduleExpressionError::Rate)?;
    let minutes = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return Err(ScheduleExpressionError::Rate),
    };
    match unit.ends_with('s') == (number > 1) {
        true => Ok(Duration::from_secs(u64::from(number) * minutes * 60)),
        false => Err(ScheduleExpressionError::Plural),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let error = ScheduleExpression::parse(text).unwrap_err();
        error.to_string()
    }

    #[test]
    fn a_rate_is_a_number_and_a_unit() {
        for (text, minutes) in [
            ("rate(1 minute)", 1),
            ("rate(5 minutes)", 5),
            ("rate(1 hour)", 60),
            ("rate(7 days)", 7 * 24 * 60),
        ] {
            let rate = ScheduleExpression::Rate(Duration::from_secs(minutes * 60));
            assert_eq!(ScheduleExpression::parse(text), Ok(rate), "{text}");
        }
        for text in [
            "rate(0 minutes)",
            "rate(5)",
            "rate(5 seconds)",
            "rate(+5 minutes)",
            "rate(5  minutes)",
            "rate(99999999999 days)",
        ] {
            assert!(error(text).starts_with("a rate is"), "{text}");
        }
        for text in ["rate(1 minutes)", "rate(5 minute)"] {
            assert!(error(text).contains("singular"), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_expressions() {
        for text in [
            "",
            "5m",
            "rate 5 minutes",
            "at(2026-01-01T00:00:00)",
            "rate(5 minutes",
        ] {
            assert!(error(text).starts_with("it is neither"), "{text}");
        }
    }

    #[test]
    fn only_a_schedule_may_be_a_single_time() {
        let at = "at(1970-01-01T00:00:01)";
        let parsed = ScheduleExpression::parse_with_time(at);
        assert_eq!(parsed, Ok(ScheduleExpression::At(1)));
        let rate = ScheduleExpression::parse_with_time("rate(1 minute)");
        assert_eq!(rate, ScheduleExpression::parse("rate(1 minute)"));
        assert!(error(at).starts_with("it is neither"));
        let wrong = ScheduleExpression::parse_with_time("at(tomorrow)").unwrap_err();
        assert!(wrong.to_string().contains("a date of the calendar"));
    }

    #[test]
    fn a_date_in_utc_may_have_a_zone_and_parts_of_a_second() {
        for text in [
            "1970-01-01T00:00:01",
            "1970-01-01T00:00:01Z",
            "1970-01-01T00:00:01.500Z",
        ] {
            assert_eq!(parse_utc(text), Ok(1), "{text}");
        }
        for text in ["1970-01-01T00:00:01.x", "1970-01-01T00:00:01+01:00"] {
            assert_eq!(parse_utc(text), Err(ScheduleExpressionError::At), "{text}");
        }
    }
}
