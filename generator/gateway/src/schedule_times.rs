//! Schedules and rules with a schedule, and their times: intervals, minutes of the calendar, and single times.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use stackgen_gateway_common::EpochMillis;
use stackgen_gateway_stack::{ScheduleExpression, ScheduleTiming};

/// A schedule that invokes functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleState {
    /// Name of the rule or of the schedule.
    pub name: String,
    /// Expression: `rate(5 minutes)`.
    pub expression: String,
    /// Names of the functions, or the other target of a schedule: `queue jobs`.
    pub functions: Vec<String>,
    /// False if the schedule exists but invokes nothing by itself.
    pub enabled: bool,
}

/// Times of an expression, one after the other.
pub(crate) struct ScheduleTimes {
    timing: ScheduleTiming,
    /// Time from which a rate counts.
    since: Instant,
    /// True if a rate begins at `since`, and not one interval later.
    at_once: bool,
    /// True if a single time was returned.
    is_done: bool,
}

impl ScheduleTimes {
    /// Returns the times of a schedule, whose rate begins at once, as on AWS. One that `is_continued` began before: at `since`,
    /// or at its start if that was later.
    pub(crate) fn of_schedule(timing: ScheduleTiming, since: Instant, is_continued: bool) -> Self {
        let started = timing.start.map(|start| EpochMillis::now().since(start));
        let since = started
            .filter(|ago| *ago < since.elapsed())
            .and_then(|ago| Instant::now().checked_sub(ago))
            .unwrap_or(since);
        ScheduleTimes {
            timing,
            since,
            at_once: !is_continued,
            is_done: false,
        }
    }

    /// Returns the times of a rule, whose rate begins after one interval, as on AWS.
    pub(crate) fn of_rule(expression: ScheduleExpression) -> Self {
        ScheduleTimes {
            timing: ScheduleTiming::in_utc(expression),
            since: Instant::now(),
            at_once: false,
            is_done: false,
        }
    }

    /// Waits for the next time, and returns it; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Option<EpochMillis> {
        if let ScheduleExpression::At(_) = self.timing.expression {
            let time = self.timing.single_time()?;
            let is_past = std::mem::replace(&mut self.is_done, true) || time < EpochMillis::now();
            if is_past {
                return None;
            }
            until(time).await;
            return Some(time);
        }
        if let Some(start) = self.timing.start
            && start > EpochMillis::now()
        {
            until(start).await;
            (self.since, self.at_once) = (Instant::now(), true);
        }
        let time = self.next_recurring().await;
        let is_over = self.timing.end.is_some_and(|end| time > end);
        (!is_over).then_some(time)
    }

    async fn next_recurring(&mut self) -> EpochMillis {
        // Without it, the time that was just returned could be returned again.
        let moment = Duration::from_millis(5);
        loop {
            let pause = match &self.timing.expression {
                ScheduleExpression::Rate(_) if std::mem::take(&mut self.at_once) => Duration::ZERO,
                ScheduleExpression::Rate(rate) => {
                    tokio::time::sleep(moment).await;
                    until_next(self.since.elapsed(), *rate)
                }
                ScheduleExpression::Cron(_) | ScheduleExpression::At(_) => {
                    until_minute(EpochMillis::now()) + moment
                }
            };
            tokio::time::sleep(pause).await;
            let now = EpochMillis::now();
            let is_rate = matches!(self.timing.expression, ScheduleExpression::Rate(_));
            if is_rate || self.timing.selects(now) {
                return now;
            }
        }
    }
}

/// Waits until a time of the clock, also if the machine sleeps meanwhile.
async fn until(time: EpochMillis) {
    const LONGEST: Duration = Duration::from_secs(60);
    loop {
        let left = time.since(EpochMillis::now());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(LONGEST)).await;
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
        let timing = ScheduleTiming::in_utc(hour.clone());
        let mut schedule = ScheduleTimes::of_schedule(timing.clone(), Instant::now(), false);
        assert!(schedule.next().await.is_some());
        let pending = Duration::from_millis(50);
        for mut times in [
            schedule,
            ScheduleTimes::of_schedule(timing, Instant::now(), true),
            ScheduleTimes::of_rule(hour),
        ] {
            let next = tokio::time::timeout(pending, times.next()).await;
            assert!(next.is_err());
        }
        let mut soon = ScheduleTimes::of_rule(rate(20));
        soon.next().await;
        soon.next().await;
    }

    #[tokio::test]
    async fn a_single_time_is_returned_once_and_not_if_it_has_passed() {
        let now = EpochMillis::now().as_millis() / 1000;
        let times = |seconds| {
            let timing = ScheduleTiming::in_utc(ScheduleExpression::At(seconds));
            ScheduleTimes::of_schedule(timing, Instant::now(), false)
        };
        let mut soon = times(now + 2);
        let expected = EpochMillis::from_millis((now + 2) * 1000);
        assert_eq!(soon.next().await, Some(expected));
        assert_eq!(soon.next().await, None);
        assert_eq!(times(now - 1).next().await, None);
    }

    #[tokio::test]
    async fn a_rate_begins_at_its_start_and_ends_at_its_end() {
        let rate = ScheduleExpression::Rate(Duration::from_millis(1));
        let soon = EpochMillis::now().after(Duration::from_millis(100));
        let times = |start, end| {
            let timing = ScheduleTiming {
                start,
                end,
                ..ScheduleTiming::in_utc(rate.clone())
            };
            ScheduleTimes::of_schedule(timing, Instant::now(), true)
        };
        assert!(times(Some(soon), None).next().await >= Some(soon));
        let past = EpochMillis::from_millis(1);
        assert_eq!(times(None, Some(past)).next().await, None);
    }

    #[test]
    fn a_rate_counts_from_its_start_if_that_came_after_the_schedule() {
        let seconds = Duration::from_secs;
        let since = Instant::now().checked_sub(seconds(100)).unwrap();
        let elapsed = |ago: u64| {
            let start = EpochMillis::now().as_millis() - ago * 1000;
            let timing = ScheduleTiming {
                start: Some(EpochMillis::from_millis(start)),
                ..ScheduleTiming::in_utc(ScheduleExpression::Rate(seconds(60)))
            };
            let times = ScheduleTimes::of_schedule(timing, since, true);
            times.since.elapsed()
        };
        let started_later = elapsed(30);
        assert!(
            started_later >= seconds(29) && started_later < seconds(90),
            "{started_later:?}"
        );
        assert!(elapsed(200) >= seconds(100));
    }
}
