//! Schedules and rules with a schedule, and their times: intervals, and minutes of the calendar in UTC.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use stackgen_gateway_common::EpochMillis;
use stackgen_gateway_stack::{CivilMinute, ScheduleExpression};

/// A schedule that invokes functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleState {
    /// Name of the rule or of the schedule.
    pub name: String,
    /// Expression: `rate(5 minutes)`.
    pub expression: String,
    /// Names of the functions.
    pub functions: Vec<String>,
    /// False if the schedule exists but invokes nothing by itself.
    pub enabled: bool,
}

/// Times of an expression, one after the other.
pub(crate) struct ScheduleTimes {
    expression: ScheduleExpression,
    /// Time from which a rate counts.
    since: Instant,
    /// True if a rate begins at `since`, and not one interval later.
    at_once: bool,
}

impl ScheduleTimes {
    /// Returns the times of a schedule, whose rate begins at once, as on AWS. One that `is_continued` began before.
    pub(crate) fn of_schedule(
        expression: ScheduleExpression,
        since: Instant,
        is_continued: bool,
    ) -> Self {
        ScheduleTimes {
            expression,
            since,
            at_once: !is_continued,
        }
    }

    /// Returns the times of a rule, whose rate begins after one interval, as on AWS.
    pub(crate) fn of_rule(expression: ScheduleExpression) -> Self {
        ScheduleTimes {
            expression,
            since: Instant::now(),
            at_once: false,
        }
    }

    /// Waits for the next time, and returns it.
    pub(crate) async fn next(&mut self) -> EpochMillis {
        // Without it, the time that was just returned could be returned again.
        let moment = Duration::from_millis(5);
        loop {
            let pause = match &self.expression {
                ScheduleExpression::Rate(_) if std::mem::take(&mut self.at_once) => Duration::ZERO,
                ScheduleExpression::Rate(rate) => {
                    tokio::time::sleep(moment).await;
                    until_next(self.since.elapsed(), *rate)
                }
                ScheduleExpression::Cron(_) => until_minute(EpochMillis::now()) + moment,
            };
            tokio::time::sleep(pause).await;
            let now = EpochMillis::now();
            let is_due = match &self.expression {
                ScheduleExpression::Rate(_) => true,
                ScheduleExpression::Cron(cron) => {
                    cron.matches(CivilMinute::from_unix(now.as_millis() / 1000))
                }
            };
            if is_due {
                return now;
            }
        }
    }
}

/// Returns the time until the next multiple of a rate.
fn until_next(elapsed: Duration, rate: Duration) -> Duration {
    let (elapsed, rate) = (elapsed.as_millis(), rate.as_millis().max(1));
    let rest = rate - elapsed % rate;
    Duration::from_millis(u64::try_from(rest).unwrap_or(u64::MAX))
}

/// Returns the time until the next minute begins.
fn until_minute(now: EpochMillis) -> Duration {
    Duration::from_millis(60_000 - now.as_millis() % 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_runs_at_multiples_of_it() {
        let minute = Duration::from_secs(60);
        let millis = |elapsed| {
            let next = until_next(Duration::from_millis(elapsed), minute);
            next.as_millis()
        };
        assert_eq!(millis(0), 60_000);
        assert_eq!(millis(5), 59_995);
        assert_eq!(millis(59_999), 1);
        assert_eq!(millis(150_000), 30_000);
    }

    #[test]
    fn minutes_begin_at_multiples_of_60_seconds() {
        let until = |millis| until_minute(EpochMillis::from_millis(millis)).as_millis();
        assert_eq!(until(0), 60_000);
        assert_eq!(until(60_001), 59_999);
    }

    #[tokio::test]
    async fn a_schedule_begins_at_once_and_a_rule_after_its_interval() {
        let rate = |millis| ScheduleExpression::Rate(Duration::from_millis(millis));
        let hour = rate(3_600_000);
        let mut schedule = ScheduleTimes::of_schedule(hour.clone(), Instant::now(), false);
        schedule.next().await;
        let pending = Duration::from_millis(50);
        for mut times in [
            schedule,
            ScheduleTimes::of_schedule(hour.clone(), Instant::now(), true),
            ScheduleTimes::of_rule(hour),
        ] {
            let next = tokio::time::timeout(pending, times.next()).await;
            assert!(next.is_err());
        }
        let mut soon = ScheduleTimes::of_rule(rate(20));
        soon.next().await;
        soon.next().await;
    }
}
