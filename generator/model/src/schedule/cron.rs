//! Cron expressions of EventBridge.

use std::fmt;

use super::ScheduleExpressionError;
use super::field::{FieldRange, FieldValues, number};

const MINUTES: FieldRange = FieldRange {
    field: "minutes",
    min: 0,
    max: 59,
    names: &[],
    words: "0 to 59",
};
const HOURS: FieldRange = FieldRange {
    field: "hours",
    min: 0,
    max: 23,
    names: &[],
    words: "0 to 23",
};
const DAYS: FieldRange = FieldRange {
    field: "day of month",
    min: 1,
    max: 31,
    names: &[],
    words: "1 to 31, `L` and `15W`",
};
const MONTHS: FieldRange = FieldRange {
    field: "month",
    min: 1,
    max: 12,
    names: &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
    words: "1 to 12 and JAN to DEC",
};
const WEEKDAYS: FieldRange = FieldRange {
    field: "day of week",
    min: 1,
    max: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    words: "1 to 7, SUN to SAT, `6L` and `3#2`",
};
const YEARS: FieldRange = FieldRange {
    field: "year",
    min: 1970,
    max: 2199,
    names: &[],
    words: "1970 to 2199",
};

/// Six fields that select minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronExpression {
    minutes: FieldValues,
    hours: FieldValues,
    months: FieldValues,
    years: FieldValues,
    day: DaySelection,
}

/// Days that a cron expression selects.
#[derive(Clone, Debug, PartialEq, Eq)]
enum DaySelection {
    /// Days of the month.
    Days(FieldValues),
    /// `L`: the last day of the month.
    LastDay,
    /// `15W`: the weekday nearest to a day of the month.
    NearestWeekday(u16),
    /// `LW`: the last weekday of the month.
    LastWeekday,
    /// Days of the week.
    Weekdays(FieldValues),
    /// `6L`: the last such day of the month.
    LastOf(u16),
    /// `3#2`: the second such day of the month.
    Nth { weekday: u16, nth: u16 },
}

/// Minute of a calendar, without a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilMinute {
    year: u16,
    month: u16,
    day: u16,
    hour: u16,
    minute: u16,
    /// 1 is Sunday.
    weekday: u16,
}

impl CronExpression {
    /// Parses the six fields.
    pub(super) fn parse(text: &str) -> Result<Self, ScheduleExpressionError> {
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        let [minutes, hours, day, month, weekday, year] = fields.as_slice() else {
            return Err(ScheduleExpressionError::Fields(fields.len()));
        };
        let day = match (*day, *weekday) {
            ("?", "?") => return Err(ScheduleExpressionError::Days),
            (day, "?") => day_of_month(day)?,
            ("?", weekday) => day_of_week(weekday)?,
            _ => return Err(ScheduleExpressionError::Days),
        };
        Ok(CronExpression {
            minutes: MINUTES.values(minutes)?,
            hours: HOURS.values(hours)?,
            months: MONTHS.values(month)?,
            years: YEARS.values(year)?,
            day,
        })
    }

    /// Returns true if the expression selects a minute.
    pub fn matches(&self, at: CivilMinute) -> bool {
        self.minutes.contains(at.minute)
            && self.hours.contains(at.hour)
            && self.months.contains(at.month)
            && self.years.contains(at.year)
            && self.day.matches(at)
    }
}

fn day_of_month(text: &str) -> Result<DaySelection, ScheduleExpressionError> {
    Ok(match text {
        "L" => DaySelection::LastDay,
        "LW" => DaySelection::LastWeekday,
        _ => match text.strip_suffix('W') {
            Some(day) => {
                let day = DAYS.value(day).ok_or_else(|| DAYS.error(text))?;
                DaySelection::NearestWeekday(day)
            }
            None => DaySelection::Days(DAYS.values(text)?),
        },
    })
}

fn day_of_week(text: &str) -> Result<DaySelection, ScheduleExpressionError> {
    let error = || WEEKDAYS.error(text);
    if let Some((weekday, nth)) = text.split_once('#') {
        let weekday = WEEKDAYS.value(weekday).ok_or_else(error)?;
        let nth = number(nth).filter(|nth| (1..=5).contains(nth));
        let nth = nth.ok_or_else(error)?;
        return Ok(DaySelection::Nth { weekday, nth });
    }
    Ok(match text.strip_suffix('L') {
        Some("") => DaySelection::Weekdays(WEEKDAYS.values("7")?),
        Some(weekday) => DaySelection::LastOf(WEEKDAYS.value(weekday).ok_or_else(error)?),
        None => DaySelection::Weekdays(WEEKDAYS.values(text)?),
    })
}

impl DaySelection {
    fn matches(&self, at: CivilMinute) -> bool {
        let last = days_in_month(at.year, at.month);
        match self {
            DaySelection::Days(days) => days.contains(at.day),
            DaySelection::LastDay => at.day == last,
            DaySelection::LastWeekday => at.day == nearest_weekday(at, last),
            DaySelection::NearestWeekday(day) => {
                *day <= last && at.day == nearest_weekday(at, *day)
            }
            DaySelection::Weekdays(weekdays) => weekdays.contains(at.weekday),
            DaySelection::LastOf(weekday) => at.weekday == *weekday && at.day + 7 > last,
            DaySelection::Nth { weekday, nth } => {
                at.weekday == *weekday && at.day.div_ceil(7) == *nth
            }
        }
    }
}

/// Returns the day of the month of `at` that is the weekday nearest to a day, within the month.
fn nearest_weekday(at: CivilMinute, day: u16) -> u16 {
    let last = days_in_month(at.year, at.month);
    // The weekday of `day`, from that of another day of the same month.
    let weekday = (at.weekday + 34 + day - at.day) % 7 + 1;
    match weekday {
        1 if day == last => day - 2,
        1 => day + 1,
        7 if day == 1 => day + 2,
        7 => day - 1,
        _ => day,
    }
}

pub(super) fn days_in_month(year: u16, month: u16) -> u16 {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for CivilMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = (self.year, self.month, self.day);
        let (hour, minute) = (self.hour, self.minute);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
    }
}

impl CivilMinute {
    /// Returns the minute of a number of seconds since 1970, in UTC.
    pub fn from_unix(seconds: u64) -> Self {
        let minutes = seconds / 60;
        let days = minutes / (24 * 60);
        let part = |value: u64| u16::try_from(value).unwrap_or(u16::MAX);
        let (mut year, mut month, mut rest) = (1970, 1, days);
        loop {
            let length = u64::from(days_in_month(year, month));
            if rest < length {
                break;
            }
            rest -= length;
            (year, month) = match month {
                12 => (year + 1, 1),
                month => (year, month + 1),
            };
        }
        CivilMinute {
            year,
            month,
            day: part(rest + 1),
            hour: part(minutes / 60 % 24),
            minute: part(minutes % 60),
            // 1970 began on a Thursday.
            weekday: part((days + 4) % 7 + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ScheduleExpression;
    use super::*;

    const DAY: u64 = 24 * 60 * 60;
    /// 2026-01-01, a Thursday.
    const YEAR: u64 = 20_454 * DAY;

    fn cron(text: &str) -> CronExpression {
        match ScheduleExpression::parse(&format!("cron({text})")) {
            Ok(ScheduleExpression::Cron(cron)) => *cron,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn error(text: &str) -> String {
        let error = ScheduleExpression::parse(&format!("cron({text})")).unwrap_err();
        error.to_string()
    }

    /// Returns the minutes of 2026 that an expression selects, as `month-day hour:minute`.
    fn minutes(text: &str) -> Vec<String> {
        let cron = cron(text);
        // The calendar is computed once a day, because it counts months since 1970.
        let all = (0..365_u64).flat_map(|day| {
            let day = CivilMinute::from_unix(YEAR + day * DAY);
            (0..24 * 60).map(move |minute| CivilMinute {
                hour: minute / 60,
                minute: minute % 60,
                ..day
            })
        });
        all.filter(|at| cron.matches(*at))
            .map(|at| format!("{}-{} {}:{:02}", at.month, at.day, at.hour, at.minute))
            .collect()
    }

    #[test]
    fn a_minute_is_a_date_of_the_calendar() {
        let at = CivilMinute::from_unix(YEAR + 58 * DAY + 3_661);
        let expected = CivilMinute {
            year: 2026,
            month: 2,
            day: 28,
            hour: 1,
            minute: 1,
            weekday: 7,
        };
        assert_eq!(at, expected);
        let leap = CivilMinute::from_unix(951_782_400);
        assert_eq!(
            (leap.year, leap.month, leap.day, leap.weekday),
            (2000, 2, 29, 3)
        );
    }

    #[test]
    fn fields_are_values_ranges_lists_and_steps() {
        assert_eq!(minutes("0 8 1 1 ? 2026"), ["1-1 8:00"]);
        assert_eq!(minutes("0/30 8 1 JAN ? *"), ["1-1 8:00", "1-1 8:30"]);
        assert_eq!(minutes("5 8-9 1 1 ? *"), ["1-1 8:05", "1-1 9:05"]);
        assert_eq!(minutes("0 8 1,31 3 ? *"), ["3-1 8:00", "3-31 8:00"]);
        assert_eq!(minutes("0 8 ? 1 mon-wed *").len(), 12);
        assert_eq!(minutes("* * * * ? *").len(), 365 * 24 * 60);
        assert_eq!(minutes("0 8 1 1 ? 2027"), Vec::<String>::new());
    }

    #[test]
    fn days_can_be_relative_to_the_month() {
        assert_eq!(minutes("0 0 L 2 ? *"), ["2-28 0:00"]);
        // 31 January 2026 is a Saturday, 1 February a Sunday.
        assert_eq!(minutes("0 0 LW 1 ? *"), ["1-30 0:00"]);
        assert_eq!(minutes("0 0 1W 2 ? *"), ["2-2 0:00"]);
        assert_eq!(minutes("0 0 31W 5 ? *"), ["5-29 0:00"]);
        assert_eq!(minutes("0 0 1W 8 ? *"), ["8-3 0:00"]);
        assert_eq!(minutes("0 0 ? 1 6L *"), ["1-30 0:00"]);
        assert_eq!(minutes("0 0 ? 1 FRI#2 *"), ["1-9 0:00"]);
        assert_eq!(minutes("0 0 ? 2 THU#5 *"), Vec::<String>::new());
        assert_eq!(minutes("0 0 ? 1 L *").len(), 5);
    }

    #[test]
    fn what_eventbridge_refuses_is_an_error() {
        assert!(error("0 8 * * *").contains("5 fields"));
        for both in ["0 8 * * * *", "0 8 ? * ? *", "0 8 1 * MON *"] {
            assert!(error(both).contains("must be `?`"), "{both}");
        }
        for (text, field) in [
            ("60 8 ? * 1 *", "minutes"),
            ("0 24 ? * 1 *", "hours"),
            ("0 8 0 * ? *", "day of month"),
            ("0 8 32W * ? *", "day of month"),
            ("0 8 1 13 ? *", "month"),
            ("0 8 ? * 0 *", "day of week"),
            ("0 8 ? * 3#6 *", "day of week"),
            ("0 8 ? * FRI-MON *", "day of week"),
            ("0 8 ? * 1 1969", "year"),
            ("0/0 8 ? * 1 *", "minutes"),
            (", 8 ? * 1 *", "minutes"),
            ("+1 8 ? * 1 *", "minutes"),
            ("0/+5 8 ? * 1 *", "minutes"),
            ("0 8 ? * 3#+2 *", "day of week"),
        ] {
            assert!(error(text).contains(field), "{text}: {}", error(text));
        }
    }
}
