//! Schedules of EventBridge Scheduler in templates.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use stackgen_gateway_common::{ArnScope, EpochMillis};
use stackgen_model::{CivilMinute, ScheduleExpression};

use super::schedule_target::ScheduleTarget;

/// Type of schedules.
pub(super) const SCHEDULE: &str = "AWS::Scheduler::Schedule";

/// Properties of a schedule that the gateway uses.
pub(super) const PROPERTIES: &[&str] = &[
    "EndDate",
    "GroupName",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
];

/// Runs schedules.
pub trait Schedules: Send + Sync + 'static {
    /// Starts a schedule, or replaces the one with this ID.
    fn put(&self, id: &str, schedule: Schedule);

    /// Stops a schedule, if it exists. Invocations that have begun continue.
    fn delete(&self, id: &str);
}

/// Schedule with its target.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Name.
    pub name: String,
    /// ARN, which events contain.
    pub arn: String,
    /// Text of the expression.
    pub text: String,
    /// Times at which it runs.
    pub timing: ScheduleTiming,
    /// Target. `None` for those that do not run here.
    pub target: Option<ScheduleTarget>,
    /// ARN of the role with which it calls the target.
    pub role: String,
    /// Input of the target, unless it is the default event.
    pub input: Option<String>,
    /// False if the schedule exists but does not run.
    pub enabled: bool,
}

/// Times at which a schedule runs.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleTiming {
    /// Expression.
    pub expression: ScheduleExpression,
    /// Time zone of the expression.
    pub zone: TimeZone,
    /// Time before which it does not run, unless it runs once.
    pub start: Option<EpochMillis>,
    /// Time after which it does not run, unless it runs once.
    pub end: Option<EpochMillis>,
}

impl ScheduleTiming {
    /// Returns the times of an expression in UTC.
    pub fn in_utc(expression: ScheduleExpression) -> Self {
        ScheduleTiming {
            expression,
            zone: TimeZone::UTC,
            start: None,
            end: None,
        }
    }

    /// Returns the time of an expression that is a single one.
    pub fn single_time(&self) -> Option<EpochMillis> {
        let ScheduleExpression::At(seconds) = self.expression else {
            return None;
        };
        let in_utc = Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
        let date = TimeZone::UTC.to_datetime(in_utc);
        let time = self.zone.to_timestamp(date).ok()?;
        let millis = u64::try_from(time.as_millisecond()).ok()?;
        Some(EpochMillis::from_millis(millis))
    }

    /// Returns true if a cron expression selects the minute of a time.
    pub fn selects(&self, time: EpochMillis) -> bool {
        let ScheduleExpression::Cron(cron) = &self.expression else {
            return false;
        };
        let seconds = i64::try_from(time.as_millis() / 1000).unwrap_or(i64::MAX);
        let Ok(at) = Timestamp::from_second(seconds) else {
            return false;
        };
        // A local time comes twice when clocks are set back. As on AWS, the schedule runs at the first one only.
        let first = self.zone.to_timestamp(self.zone.to_datetime(at));
        if first.is_ok_and(|first| first != at) {
            return false;
        }
        let local = seconds + i64::from(self.zone.to_offset(at).seconds());
        cron.matches(CivilMinute::from_unix(
            u64::try_from(local).unwrap_or_default(),
        ))
    }
}

/// Returns the name of a schedule with its group.
pub(super) fn schedule_path(group: &str, name: &str) -> String {
    let group = match group {
        "" => "default",
        group => group,
    };
    format!("{group}/{name}")
}

/// Returns the ARN of a schedule.
pub(super) fn schedule_arn(scope: &ArnScope, path: &str) -> String {
    scope.resource("scheduler", format_args!("schedule/{path}"))
}

#[cfg(test)]
mod tests {
    use jiff::tz::offset;

    use super::*;

    #[test]
    fn times_are_those_of_the_time_zone() {
        let hour = 60 * 60;
        let timing = |text: &str| ScheduleTiming {
            zone: TimeZone::fixed(offset(7)),
            ..ScheduleTiming::in_utc(ScheduleExpression::parse_with_time(text).unwrap())
        };
        let at = |seconds: u64| EpochMillis::from_millis(seconds * 1000);
        let daily = timing("cron(0 8 * * ? *)");
        assert!(daily.selects(at(hour)) && daily.selects(at(hour + 59)));
        assert!(!daily.selects(at(8 * hour)));
        let once = timing("at(1970-01-01T08:00:01)");
        assert_eq!(once.single_time(), Some(at(hour + 1)));
        assert_eq!(daily.single_time(), None);
    }

    #[test]
    fn a_local_time_that_comes_twice_is_selected_once() {
        let expression = ScheduleExpression::parse_with_time("cron(30 2 * * ? *)");
        let timing = ScheduleTiming {
            zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap(),
            ..ScheduleTiming::in_utc(expression.unwrap())
        };
        let selects = |seconds: u64| timing.selects(EpochMillis::from_millis(seconds * 1000));
        // 2026-10-25T02:30 in summer time, and an hour later in winter time.
        let first = 1_792_888_200;
        assert!(selects(first) && !selects(first + 60 * 60));
        let day = 24 * 60 * 60;
        assert!(selects(first - day) && selects(first + day + 60 * 60));
    }
}
