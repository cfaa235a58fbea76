//! Schedules: invoke functions at intervals, or at minutes of the calendar in UTC.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use stackgen_gateway_apis::websocket::InvocationLog;
use stackgen_gateway_common::invoke::{Invocation, InvocationCaller};
use stackgen_gateway_common::{
    EpochMillis, Event, Events, FailureEvidence, FunctionArn, ThrownError, trace_id_or_new, uuid,
};
use stackgen_gateway_lambda::functions::Functions;
use stackgen_gateway_stack::{CivilMinute, Schedule, ScheduleExpression, Schedules};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Runs all schedules.
pub(crate) struct ScheduleRunners {
    context: Arc<RunnerContext>,
    running: Mutex<HashMap<String, RunningSchedule>>,
}

/// Services that runners use.
struct RunnerContext {
    functions: Arc<Functions>,
    events: Events,
    /// Cancelled when the gateway stops.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A schedule that runs until this is dropped.
struct RunningSchedule {
    expression: Option<ScheduleExpression>,
    /// Time of the first run, from which a rate counts.
    since: Instant,
    _running: Option<DropGuard>,
}

impl ScheduleRunners {
    pub(crate) fn new(functions: &Arc<Functions>, events: Events) -> Self {
        ScheduleRunners {
            context: Arc::new(RunnerContext {
                functions: functions.clone(),
                events,
                stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
            running: Mutex::default(),
        }
    }

    /// Stops all schedules. Invocations that have begun continue.
    pub(crate) async fn stop(&self) {
        self.context.stop.cancel();
        self.running().clear();
        self.context.tasks.close();
        self.context.tasks.wait().await;
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, RunningSchedule>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedules for ScheduleRunners {
    fn put(&self, id: &str, schedule: Schedule) {
        let mut all = self.running();
        let before = all.remove(id);
        // A schedule whose target changes keeps its rhythm.
        let since = before
            .filter(|before| before.expression == schedule.expression)
            .map_or_else(Instant::now, |before| before.since);
        let expression = schedule.expression.clone();
        let running = match (&expression, schedule.function.clone()) {
            (Some(expression), Some(function)) if schedule.enabled => {
                let stop = self.context.stop.child_token();
                let guard = stop.clone().drop_guard();
                let run = run(
                    self.context.clone(),
                    ScheduledFunction { schedule, function },
                    expression.clone(),
                    since,
                );
                let run = async move { stop.run_until_cancelled_owned(run).await };
                self.context.tasks.spawn(run);
                Some(guard)
            }
            _ => None,
        };
        let running = RunningSchedule {
            expression,
            since,
            _running: running,
        };
        all.insert(id.to_owned(), running);
    }

    fn delete(&self, id: &str) {
        self.running().remove(id);
    }
}

/// Schedule with the function that it invokes.
struct ScheduledFunction {
    schedule: Schedule,
    function: FunctionArn,
}

async fn run(
    context: Arc<RunnerContext>,
    scheduled: ScheduledFunction,
    expression: ScheduleExpression,
    since: Instant,
) {
    let scheduled = Arc::new(scheduled);
    loop {
        let pause = match &expression {
            ScheduleExpression::Rate(rate) => until_next(since.elapsed(), *rate),
            ScheduleExpression::Cron(_) => until_minute(EpochMillis::now()),
        };
        tokio::time::sleep(pause).await;
        let now = EpochMillis::now();
        let is_due = match &expression {
            ScheduleExpression::Rate(_) => true,
            ScheduleExpression::Cron(cron) => {
                cron.matches(CivilMinute::from_unix(now.as_millis() / 1000))
            }
        };
        if is_due {
            let invoke = invoke(context.clone(), scheduled.clone(), now);
            context.tasks.spawn(invoke);
        }
        // The next pause begins after this time, not at it.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Returns the time until the next run of a rate. The first run is at once, as on AWS.
fn until_next(elapsed: Duration, rate: Duration) -> Duration {
    let (elapsed, rate) = (elapsed.as_millis(), rate.as_millis().max(1));
    let rest = match elapsed {
        0..=1 => 0,
        _ => rate - elapsed % rate,
    };
    Duration::from_millis(u64::try_from(rest).unwrap_or(u64::MAX))
}

/// Returns the time until the next minute begins.
fn until_minute(now: EpochMillis) -> Duration {
    Duration::from_millis(60_000 - now.as_millis() % 60_000)
}

/// Invokes the function of a schedule as EventBridge Scheduler does, asynchronously with the schedule's role, and reports the
/// outcome as an event.
async fn invoke(context: Arc<RunnerContext>, scheduled: Arc<ScheduledFunction>, at: EpochMillis) {
    let ScheduledFunction { schedule, function } = &*scheduled;
    let payload = match &schedule.input {
        Some(input) => Bytes::from(input.clone()),
        None => Bytes::from(event(schedule, function, at).to_string()),
    };
    let (log, lines) = InvocationLog::new();
    let started = Instant::now();
    let accepted = context.functions.accept_async(Invocation {
        function: function.clone(),
        payload,
        caller: InvocationCaller::Role(schedule.role.clone()),
        trace_id: trace_id_or_new(None, EpochMillis::now()),
        log: Some(log),
    });
    let outcome = match accepted {
        Ok(accepted) => accepted.run().await,
        Err(error) => Some(Err(error)),
    };
    let Some(outcome) = outcome else {
        return;
    };
    let took = started.elapsed();
    let (reason, error) = match &outcome {
        Ok(outcome) if outcome.failed => {
            let error = ThrownError::read(&outcome.payload);
            (Some("the function failed".to_owned()), error)
        }
        Ok(_) => (None, None),
        Err(error) => (Some(error.message.clone()), None),
    };
    let evidence = match (&reason, &outcome) {
        (Some(_), Ok(_)) => Some(FailureEvidence {
            error,
            log: lines.first_lines().await,
        }),
        _ => None,
    };
    context.events.send(|| Event::Scheduled {
        schedule: schedule.name.clone(),
        function: function.name.clone(),
        reason,
        evidence,
        took,
    });
}

/// Returns the event that a schedule without input sends.
fn event(schedule: &Schedule, function: &FunctionArn, at: EpochMillis) -> serde_json::Value {
    let time = at.iso8601();
    let seconds = time.split('.').next().unwrap_or(&time);
    json!({
        "version": "0",
        "id": uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": function.scope.account,
        "time": format!("{seconds}Z"),
        "region": function.scope.region,
        "resources": [schedule.arn],
        "detail": "{}",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_runs_at_once_and_then_at_multiples_of_it() {
        let minute = Duration::from_secs(60);
        let millis = |elapsed| {
            let next = until_next(Duration::from_millis(elapsed), minute);
            next.as_millis()
        };
        assert_eq!(millis(0), 0);
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
}
