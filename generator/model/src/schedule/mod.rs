//! Expressions of EventBridge schedules: `rate(5 minutes)` and `cron(0 8 ? * MON-FRI *)`.

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
}

/// Error of a text that is not a [`ScheduleExpression`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScheduleExpressionError {
    /// The text is neither a rate nor a cron expression.
    #[error("it is neither `rate(…)` nor `cron(…)`")]
    UnknownForm,
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
    /// Parses an expression.
    ///
    /// # Errors
    ///
    /// Returns an error if EventBridge would refuse the expression.
    pub fn parse(text: &str) -> Result<Self, ScheduleExpressionError> {
        let argument = |name: &str| {
            text.strip_prefix(name)?
                .strip_prefix('(')?
                .strip_suffix(')')
        };
        if let Some(rate) = argument("rate") {
            return parse_rate(rate).map(ScheduleExpression::Rate);
        }
        let cron = argument("cron").ok_or(ScheduleExpressionError::UnknownForm)?;
        let cron = CronExpression::parse(cron)?;
        Ok(ScheduleExpression::Cron(Box::new(cron)))
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
}
