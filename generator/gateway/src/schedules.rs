//! Schedules: call their targets at intervals, at minutes of the calendar, or once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use stackgen_gateway_common::invoke::InvocationCaller;
use stackgen_gateway_common::services::{CallService, ServiceCall};
use stackgen_gateway_common::{ArnScope, EpochMillis, Event, Events, uuid};
use stackgen_gateway_lambda::functions::Functions;
use stackgen_gateway_stack::{Schedule, Schedules};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::invocations::{AsyncReport, invoke_async};
use crate::schedule_calls::{self, TargetCall};
use crate::schedule_times::{ScheduleState, ScheduleTimes};

/// Longest time to wait for the answer of a target that is not a function.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs all schedules.
pub(crate) struct ScheduleRunners {
    context: Arc<RunnerContext>,
    running: Mutex<BTreeMap<String, RunningSchedule>>,
}

/// Services that runners use.
struct RunnerContext {
    functions: Arc<Functions>,
    services: Arc<dyn CallService>,
    events: Events,
    /// Cancelled when the gateway stops.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A schedule that runs until this is dropped.
struct RunningSchedule {
    schedule: Arc<Schedule>,
    /// Time of the first run, from which a rate counts.
    since: Instant,
    _running: Option<DropGuard>,
}

impl ScheduleRunners {
    pub(crate) fn new(
        functions: &Arc<Functions>,
        services: Arc<dyn CallService>,
        events: &Events,
    ) -> Self {
        ScheduleRunners {
            context: Arc::new(RunnerContext {
                functions: functions.clone(),
                services,
                events: events.clone(),
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
            let schedule = &one.schedule;
            Some(ScheduleState {
                name: schedule.name.clone(),
                expression: schedule.text.clone(),
                functions: vec![schedule.target.as_ref()?.to_string()],
                enabled: schedule.enabled,
            })
        });
        states.collect()
    }

    /// Runs a schedule now. Returns false if none with this name runs here.
    pub(crate) fn run_now(&self, name: &str) -> bool {
        let running = self.running();
        let mut schedules = running.values().map(|one| &one.schedule);
        let Some(schedule) = schedules.find(|one| one.name == name && one.target.is_some()) else {
            return false;
        };
        spawn_invocation(&self.context, schedule.clone(), EpochMillis::now());
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
        let before = before.filter(|before| before.schedule.timing == schedule.timing);
        let is_continued = before.is_some();
        let since = before.map_or_else(Instant::now, |before| before.since);
        let schedule = Arc::new(schedule);
        let is_run = schedule.enabled && schedule.target.is_some();
        let running = is_run.then(|| {
            let stop = self.context.stop.child_token();
            let guard = stop.clone().drop_guard();
            let times = ScheduleTimes::of_schedule(schedule.timing.clone(), since, is_continued);
            let run = run(self.context.clone(), schedule.clone(), times);
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

async fn run(context: Arc<RunnerContext>, schedule: Arc<Schedule>, mut times: ScheduleTimes) {
    while let Some(time) = times.next().await {
        spawn_invocation(&context, schedule.clone(), time);
    }
}

/// Calls the target of a schedule in a task of its own, until the gateway stops.
fn spawn_invocation(context: &Arc<RunnerContext>, schedule: Arc<Schedule>, at: EpochMillis) {
    let invoke = invoke(context.clone(), schedule, at);
    let stop = context.stop.clone();
    context.tasks.spawn(stop.run_until_cancelled_owned(invoke));
}

/// Calls the target of a schedule as EventBridge Scheduler does, with the schedule's role, and reports the outcome as an event.
/// Functions are invoked asynchronously.
async fn invoke(context: Arc<RunnerContext>, schedule: Arc<Schedule>, at: EpochMillis) {
    let Some(target) = &schedule.target else {
        return;
    };
    let input = match &schedule.input {
        Some(input) => input.clone(),
        None => event(&schedule, context.functions.scope(), at).to_string(),
    };
    let scope = context.functions.scope();
    let report = match schedule_calls::call(target, &input, &schedule.role, scope) {
        TargetCall::Function(function) => {
            let caller = InvocationCaller::Role(schedule.role.clone());
            invoke_async(&context.functions, function, caller, input.into()).await
        }
        TargetCall::Service(call) => Some(call_service(&*context.services, call).await),
    };
    let Some(report) = report else {
        return;
    };
    context.events.send(Event::Scheduled {
        schedule: schedule.name.clone(),
        function: target.to_string(),
        reason: report.reason,
        evidence: report.evidence,
        took: report.took,
    });
}

/// Calls a target that is not a function.
async fn call_service(services: &dyn CallService, call: ServiceCall) -> AsyncReport {
    let started = Instant::now();
    let service = call.service.clone();
    let reason = match tokio::time::timeout(LIMIT, services.call(call)).await {
        Ok(answer) => schedule_calls::failure(&service, answer),
        Err(_) => Some(format!("no answer in {} s", LIMIT.as_secs())),
    };
    AsyncReport {
        reason,
        evidence: None,
        took: started.elapsed(),
    }
}

/// Returns the event that a schedule without input sends.
fn event(schedule: &Schedule, scope: &ArnScope, at: EpochMillis) -> serde_json::Value {
    json!({
        "version": "0",
        "id": uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": scope.account,
        "time": at.iso8601_seconds(),
        "region": scope.region,
        "resources": [schedule.arn],
        "detail": "{}",
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::future::BoxFuture;
    use http::Response;
    use stackgen_gateway_common::services::ServiceError;
    use stackgen_gateway_stack::ScheduleTarget;

    use super::*;

    /// Services that do not answer.
    struct SilentServices;

    impl CallService for SilentServices {
        fn call(&self, _: ServiceCall) -> BoxFuture<'_, Result<Response<Bytes>, ServiceError>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_does_not_answer_is_a_failure() {
        let target = ScheduleTarget::Topic {
            arn: "arn:aws:sns:us-east-1:000000000000:news".to_owned(),
        };
        let call = schedule_calls::call(&target, "{}", "role", &ArnScope::default());
        let TargetCall::Service(call) = call else {
            panic!("a call of a service");
        };
        let report = call_service(&SilentServices, call).await;
        assert_eq!(report.reason.as_deref(), Some("no answer in 60 s"));
    }
}
