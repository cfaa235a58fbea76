//! Schedules: invoke functions at intervals, or at minutes of the calendar in UTC.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use stackgen_gateway_common::invoke::InvocationCaller;
use stackgen_gateway_common::{EpochMillis, Event, Events, FunctionArn, uuid};
use stackgen_gateway_lambda::functions::Functions;
use stackgen_gateway_stack::{Schedule, Schedules};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::invocations::invoke_async;
use crate::schedule_times::{ScheduleState, ScheduleTimes};

/// Runs all schedules.
pub(crate) struct ScheduleRunners {
    context: Arc<RunnerContext>,
    running: Mutex<BTreeMap<String, RunningSchedule>>,
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
    schedule: Schedule,
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

    /// Stops all schedules, and no longer waits for the invocations that have begun.
    pub(crate) async fn stop(&self) {
        self.context.stop.cancel();
        self.running().clear();
        self.context.tasks.close();
        self.context.tasks.wait().await;
    }

    /// Returns the schedules that run here.
    pub(crate) fn states(&self) -> Vec<ScheduleState> {
        let running = self.running();
        let states = running.values().filter_map(|one| {
            let scheduled = ScheduledFunction::of(&one.schedule)?;
            Some(ScheduleState {
                name: scheduled.schedule.name,
                expression: scheduled.schedule.text,
                functions: vec![scheduled.function.name],
                enabled: one.schedule.enabled,
            })
        });
        states.collect()
    }

    /// Runs a schedule now. Returns false if none with this name runs here.
    pub(crate) fn run_now(&self, name: &str) -> bool {
        let scheduled = self.running().values().find_map(|one| {
            let is_it = one.schedule.name == name;
            is_it.then(|| ScheduledFunction::of(&one.schedule))?
        });
        let Some(scheduled) = scheduled else {
            return false;
        };
        spawn_invocation(&self.context, Arc::new(scheduled), EpochMillis::now());
        true
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, RunningSchedule>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedules for ScheduleRunners {
    fn put(&self, id: &str, schedule: Schedule) {
        let mut all = self.running();
        let before = all.remove(id);
        // A schedule whose target changes keeps its rhythm.
        let before = before.filter(|before| before.schedule.expression == schedule.expression);
        let is_continued = before.is_some();
        let since = before.map_or_else(Instant::now, |before| before.since);
        let scheduled = ScheduledFunction::of(&schedule).filter(|_| schedule.enabled);
        let running = scheduled.zip(schedule.expression.clone());
        let running = running.map(|(scheduled, expression)| {
            let stop = self.context.stop.child_token();
            let guard = stop.clone().drop_guard();
            let times = ScheduleTimes::of_schedule(expression, since, is_continued);
            let run = run(self.context.clone(), Arc::new(scheduled), times);
            let run = async move { stop.run_until_cancelled_owned(run).await };
            self.context.tasks.spawn(run);
            guard
        });
        let running = RunningSchedule {
            schedule,
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

impl ScheduledFunction {
    /// Returns the function of a schedule. `None` for schedules that do not run here.
    fn of(schedule: &Schedule) -> Option<Self> {
        schedule.expression.as_ref()?;
        Some(ScheduledFunction {
            function: schedule.function.clone()?,
            schedule: schedule.clone(),
        })
    }
}

async fn run(
    context: Arc<RunnerContext>,
    scheduled: Arc<ScheduledFunction>,
    mut times: ScheduleTimes,
) {
    loop {
        let now = times.next().await;
        spawn_invocation(&context, scheduled.clone(), now);
    }
}

/// Invokes the function of a schedule in a task of its own, until the gateway stops.
fn spawn_invocation(
    context: &Arc<RunnerContext>,
    scheduled: Arc<ScheduledFunction>,
    at: EpochMillis,
) {
    let invoke = invoke(context.clone(), scheduled, at);
    let stop = context.stop.clone();
    context.tasks.spawn(stop.run_until_cancelled_owned(invoke));
}

/// Invokes the function of a schedule as EventBridge Scheduler does, asynchronously with the schedule's role, and reports the
/// outcome as an event.
async fn invoke(context: Arc<RunnerContext>, scheduled: Arc<ScheduledFunction>, at: EpochMillis) {
    let ScheduledFunction { schedule, function } = &*scheduled;
    let payload = match &schedule.input {
        Some(input) => Bytes::from(input.clone()),
        None => Bytes::from(event(schedule, function, at).to_string()),
    };
    let caller = InvocationCaller::Role(schedule.role.clone());
    let report = invoke_async(&context.functions, function.clone(), caller, payload).await;
    let Some(report) = report else {
        return;
    };
    context.events.send(Event::Scheduled {
        schedule: schedule.name.clone(),
        function: function.name.clone(),
        reason: report.reason,
        evidence: report.evidence,
        took: report.took,
    });
}

/// Returns the event that a schedule without input sends.
fn event(schedule: &Schedule, function: &FunctionArn, at: EpochMillis) -> serde_json::Value {
    json!({
        "version": "0",
        "id": uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": function.scope.account,
        "time": at.iso8601_seconds(),
        "region": function.scope.region,
        "resources": [schedule.arn],
        "detail": "{}",
    })
}
