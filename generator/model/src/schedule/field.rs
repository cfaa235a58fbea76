//! Fields of cron expressions with plain values: lists, ranges and steps.

use super::ScheduleExpressionError;

/// Values that a field can have.
#[derive(Debug)]
pub(super) struct FieldRange {
    pub(super) field: &'static str,
    pub(super) min: u16,
    pub(super) max: u16,
    /// Names of the values, from the first value on.
    pub(super) names: &'static [&'static str],
    /// Values in words.
    pub(super) words: &'static str,
}

impl FieldRange {
    /// Returns the error of a text that is no value of the field.
    pub(super) fn error(&self, text: &str) -> ScheduleExpressionError {
        ScheduleExpressionError::Field {
            field: self.field,
            text: text.to_owned(),
            range: self.words,
        }
    }

    /// Parses a value: a number or a name.
    pub(super) fn value(&self, text: &str) -> Option<u16> {
        let upper = text.to_ascii_uppercase();
        if let Some(index) = self.names.iter().position(|name| *name == upper) {
            return u16::try_from(index).ok().map(|index| self.min + index);
        }
        let number = number(text)?;
        (self.min..=self.max).contains(&number).then_some(number)
    }

    /// Parses a list of values, ranges and steps: `*`, `5`, `MON-FRI`, `0/15`, `1,3-5`.
    pub(super) fn values(&self, text: &str) -> Result<FieldValues, ScheduleExpressionError> {
        let spans = text.split(',').map(|part| self.span(part));
        let spans: Option<Vec<_>> = spans.collect();
        spans.map(FieldValues).ok_or_else(|| self.error(text))
    }

    fn span(&self, text: &str) -> Option<ValueSpan> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let step = match step {
            Some(step) => number(step).filter(|step| (1..=self.max).contains(step))?,
            None => 1,
        };
        let (first, last) = match (range, range.split_once('-')) {
            ("*", _) => (self.min, self.max),
            (_, Some((first, last))) => (self.value(first)?, self.value(last)?),
            // `5/10` begins at 5 and continues to the end.
            (one, None) if text.contains('/') => (self.value(one)?, self.max),
            (one, None) => (self.value(one)?, self.value(one)?),
        };
        (first <= last).then_some(ValueSpan { first, last, step })
    }
}

/// Parses a number without a sign.
pub(super) fn number(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Values of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldValues(Vec<ValueSpan>);

/// Every `step`-th value from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ValueSpan {
    first: u16,
    last: u16,
    step: u16,
}

impl FieldValues {
    pub(super) fn contains(&self, value: u16) -> bool {
        self.0.iter().any(|span| {
            (span.first..=span.last).contains(&value)
                && (value - span.first).is_multiple_of(span.step)
        })
    }
}
