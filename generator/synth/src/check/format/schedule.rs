//! Formats of schedules.

use stackgen_model::{ScheduleExpression, ScheduleExpressionError};

use super::FormatError;

pub(super) fn expression(text: &str) -> Option<FormatError> {
    let error = ScheduleExpression::parse(text).err()?;
    let hint = match &error {
        ScheduleExpressionError::UnknownForm
        | ScheduleExpressionError::Rate
        | ScheduleExpressionError::At => {
            "write `rate(5 minutes)`, or `cron(0 8 ? * MON-FRI *)` for 8:00 on weekdays"
        }
        ScheduleExpressionError::Plural => "write `rate(1 minute)` or `rate(5 minutes)`",
        ScheduleExpressionError::Fields(_) => {
            "write `cron(0 8 ? * MON-FRI *)` for 8:00 on weekdays"
        }
        ScheduleExpressionError::Days => {
            "write `cron(0 8 * * ? *)` for every day, or `cron(0 8 ? * MON-FRI *)` for days of the week"
        }
        ScheduleExpressionError::Field { .. } => {
            "a field is a value, a list `1,15`, a range `1-5`, a step `0/15`, or `*`"
        }
    };
    let message = format!("`{text}` is not a schedule: {error}");
    Some(FormatError::new(message, hint))
}

pub(super) fn time_zone(text: &str) -> Option<FormatError> {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_+-".contains(c))
    };
    let fits = text.len() <= 50 && text.split('/').all(is_part);
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a time zone"),
            "write a name of the IANA time zone database, such as `Europe/Berlin`",
        )
    })
}
