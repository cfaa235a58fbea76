//! Triggers: rules of EventBridge, and subscriptions of functions to topics. They run here without an emulator.

mod events_api;
mod input;
mod message;
mod topics_api;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use stackgen_gateway_common::invoke::InvocationCaller;
use stackgen_gateway_common::{ArnScope, EpochMillis, Event, Events, FunctionArn, uuid};
use stackgen_gateway_lambda::functions::Functions;
use stackgen_gateway_stack::{FunctionTriggers, Trigger, TriggerReceiver, TriggerSource};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::invocations::{AsyncReport, invoke_async};
use crate::schedule_times::{ScheduleState, ScheduleTimes};
use message::TopicMessage;

/// Maximum number of invocations that have not ended. Functions that send events to themselves would otherwise fill the
/// memory.
const MAX_PENDING: usize = 1000;

/// Runs the triggers of the stack.
#[derive(Clone)]
pub(crate) struct Triggers(Arc<TriggerState>);

struct TriggerState {
    scope: ArnScope,
    functions: Arc<Functions>,
    events: Events,
    /// Invocations that may still begin before others end.
    pending: Arc<Semaphore>,
    running: Mutex<BTreeMap<String, RunningTrigger>>,
    /// Names of event buses.
    buses: Mutex<BTreeSet<String>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A trigger, whose timer runs until this is dropped.
struct RunningTrigger {
    trigger: Arc<Trigger>,
    _timer: Option<DropGuard>,
}

impl FunctionTriggers for Triggers {
    fn put(&self, id: &str, trigger: Trigger) {
        let trigger = Arc::new(trigger);
        let timer = self.start_timer(&trigger);
        let running = RunningTrigger {
            trigger,
            _timer: timer,
        };
        self.running().insert(id.to_owned(), running);
    }

    fn delete(&self, id: &str) {
        self.running().remove(id);
    }

    fn put_bus(&self, name: &str) {
        self.buses().insert(name.to_owned());
    }

    fn delete_bus(&self, name: &str) {
        self.buses().remove(name);
    }
}

impl Triggers {
    pub(crate) fn new(functions: &Arc<Functions>, events: Events) -> Self {
        Triggers(Arc::new(TriggerState {
            scope: functions.scope().clone(),
            functions: functions.clone(),
            events,
            pending: Arc::new(Semaphore::new(MAX_PENDING)),
            running: Mutex::default(),
            buses: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }))
    }

    /// Stops all timers and retries.
    pub(crate) async fn stop(&self) {
        self.0.stop.cancel();
        self.running().clear();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Returns the rules with a schedule.
    pub(crate) fn schedules(&self) -> Vec<ScheduleState> {
        let running = self.running();
        let schedules = running.values().filter_map(|one| {
            let TriggerSource::Times { text, .. } = &one.trigger.source else {
                return None;
            };
            let targets = one.trigger.targets.iter();
            let functions = targets.filter_map(|target| match &target.receiver {
                TriggerReceiver::Function(function) => Some(function.name.clone()),
                TriggerReceiver::Bus(_) => None,
            });
            Some(ScheduleState {
                name: one.trigger.name.clone(),
                expression: text.clone(),
                functions: functions.collect(),
                enabled: one.trigger.enabled,
            })
        });
        schedules.collect()
    }

    /// Runs a rule with a schedule now. Returns false if there is none with this name.
    pub(crate) fn run_now(&self, name: &str) -> bool {
        let trigger = self.running().values().find_map(|one| {
            let is_it = one.trigger.name == name
                && matches!(one.trigger.source, TriggerSource::Times { .. });
            is_it.then(|| one.trigger.clone())
        });
        match trigger {
            Some(trigger) => {
                self.fire(&trigger);
                true
            }
            None => false,
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, RunningTrigger>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn buses(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.buses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the enabled triggers.
    fn enabled(&self) -> Vec<Arc<Trigger>> {
        let running = self.running();
        let enabled = running.values().map(|one| &one.trigger);
        enabled.filter(|trigger| trigger.enabled).cloned().collect()
    }

    fn start_timer(&self, trigger: &Arc<Trigger>) -> Option<DropGuard> {
        let expression = match &trigger.source {
            TriggerSource::Times { expression, .. } if trigger.enabled => expression.clone(),
            _ => return None,
        };
        let (triggers, trigger) = (self.clone(), trigger.clone());
        let stop = self.0.stop.child_token();
        let guard = stop.clone().drop_guard();
        self.0
            .tasks
            .spawn(stop.run_until_cancelled_owned(async move {
                let mut times = ScheduleTimes::of_rule(expression);
                while times.next().await.is_some() {
                    triggers.fire(&trigger);
                }
            }));
        Some(guard)
    }

    /// Sends the event of a rule with a schedule to its targets.
    fn fire(&self, trigger: &Trigger) {
        let scope = &self.0.scope;
        let event = json!({
            "version": "0",
            "id": uuid(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": scope.account,
            "time": EpochMillis::now().iso8601_seconds(),
            "region": scope.region,
            "resources": [trigger.arn],
            "detail": {},
        });
        self.send_to_targets(trigger, &event, true);
    }

    /// Returns true if the stack has an event bus with this name.
    fn has_bus(&self, name: &str) -> bool {
        let is_source = |trigger: &Trigger| matches!(&trigger.source, TriggerSource::Bus { bus, .. } if bus == name);
        self.buses().contains(name) || self.running().values().any(|one| is_source(&one.trigger))
    }

    /// Sends an event to the targets of all rules that it matches. With `forward`, targets may be other event buses: events
    /// that came from a bus are not sent to a third one.
    fn put_event(&self, bus_name: &str, event: &Json, forward: bool) {
        for trigger in self.enabled() {
            if let TriggerSource::Bus { bus, pattern } = &trigger.source
                && bus == bus_name
                && pattern.matches(event)
            {
                self.send_to_targets(&trigger, event, forward);
            }
        }
    }

    fn send_to_targets(&self, trigger: &Trigger, event: &Json, forward: bool) {
        for target in &trigger.targets {
            match &target.receiver {
                TriggerReceiver::Function(function) => {
                    let payload = input::input_of(&target.input, event, trigger);
                    self.invoke(function, payload, caller(trigger), &trigger.name);
                }
                TriggerReceiver::Bus(name) if forward => self.put_event(name, event, false),
                TriggerReceiver::Bus(_) => {}
            }
        }
    }

    /// Returns true if a function is subscribed to a topic.
    fn has_topic(&self, arn: &str) -> bool {
        let running = self.running();
        running.values().any(
            |one| matches!(&one.trigger.source, TriggerSource::Topic { topic, .. } if topic == arn),
        )
    }

    /// Delivers a message to the subscribed functions.
    fn publish(&self, arn: &str, message: &TopicMessage) {
        for trigger in self.enabled() {
            let TriggerSource::Topic { topic, filter } = &trigger.source else {
                continue;
            };
            if topic != arn || !message.passes(filter.as_ref()) {
                continue;
            }
            let name = topic.rsplit(':').next().unwrap_or(topic);
            let event = message.event(topic, &trigger.arn).to_string();
            for target in &trigger.targets {
                if let TriggerReceiver::Function(function) = &target.receiver {
                    self.invoke(function, event.clone(), caller(&trigger), name);
                }
            }
        }
    }

    /// Invokes a function asynchronously, with its retries and without waiting, and reports the outcome.
    fn invoke(
        &self,
        function: &FunctionArn,
        payload: String,
        caller: InvocationCaller,
        source: &str,
    ) {
        let (state, function, source) = (self.0.clone(), function.clone(), source.to_owned());
        let Ok(permit) = state.pending.clone().try_acquire_owned() else {
            let refused = AsyncReport {
                reason: Some(format!(
                    "the event is dropped: {MAX_PENDING} invocations by rules and topics have not ended"
                )),
                evidence: None,
                took: Duration::ZERO,
            };
            return state.report(source, function.name, refused);
        };
        let run = async move {
            let (name, payload) = (function.name.clone(), Bytes::from(payload));
            let report = invoke_async(&state.functions, function, caller, payload).await;
            drop(permit);
            if let Some(report) = report {
                state.report(source, name, report);
            }
        };
        let stop = self.0.stop.clone();
        self.0.tasks.spawn(stop.run_until_cancelled_owned(run));
    }
}

impl TriggerState {
    /// Reports an invocation as an event.
    fn report(&self, source: String, function: String, report: AsyncReport) {
        self.events.send(Event::Batch {
            source,
            function,
            records: 1,
            failed: usize::from(report.reason.is_some()),
            reason: report.reason,
            evidence: report.evidence,
            took: report.took,
        });
    }
}

/// Returns the caller of a function, whose permission is checked.
fn caller(trigger: &Trigger) -> InvocationCaller {
    let service = |principal, source_arn: &str| InvocationCaller::Service {
        principal,
        source_arn: source_arn.to_owned(),
    };
    match &trigger.source {
        TriggerSource::Topic { topic, .. } => service("sns.amazonaws.com", topic),
        TriggerSource::Bus { .. } | TriggerSource::Times { .. } => {
            service("events.amazonaws.com", &trigger.arn)
        }
    }
}
