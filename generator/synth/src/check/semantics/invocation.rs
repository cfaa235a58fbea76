//! Asynchronous invocations of functions.

use super::SpecChecker;
use super::referenced::ReferencedService;
use crate::LocatedError;
use crate::spec::{
    AsyncInvokeSpec, DestinationSpec, Duration, FailureDestination, FunctionSpec, ScheduleEntrySpec,
};
use crate::wording::join_or;

/// Limits of the maximum age of an event.
const MAXIMUM_AGE: (Duration, Duration) = (
    Duration::from_millis(60_000),
    Duration::from_millis(21_600_000),
);

impl SpecChecker<'_> {
    pub(super) fn invocations(&mut self, name: &str, function: &FunctionSpec) {
        if let Some(ScheduleEntrySpec::Schedule(schedule)) = &function.schedule
            && schedule.timezone.is_some()
            && schedule.expression.starts_with("rate")
        {
            let span = self.spans.key(&["functions", name, "schedule", "timezone"]);
            let error = LocatedError::new(span, "`timezone` has no effect on a rate");
            self.report(error.hint("remove it, or write a `cron` expression"));
        }
        if let Some(invoke) = &function.async_invoke {
            self.async_invoke(name, invoke);
        }
    }

    fn async_invoke(&mut self, name: &str, invoke: &AsyncInvokeSpec) {
        let path = ["functions", name, "asyncInvoke"];
        if invoke.retries.is_none() && invoke.maximum_age.is_none() && invoke.on_failure.is_none() {
            let error = LocatedError::new(self.spans.key(&path), "`asyncInvoke` is empty");
            self.report(error.hint("add `retries`, `maximumAge` or `onFailure`"));
        }
        if let Some(age) = invoke.maximum_age {
            let span = self
                .spans
                .value(&["functions", name, "asyncInvoke", "maximumAge"]);
            self.limited(span, "the maximum age", age, MAXIMUM_AGE);
        }
        if let Some(destination) = &invoke.on_failure {
            self.destination(
                name,
                &["functions", name, "asyncInvoke", "onFailure"],
                destination,
            );
        }
    }

    /// Checks a destination of a function. `path` is the destination's.
    fn destination(&mut self, function: &str, path: &[&str], spec: &DestinationSpec) {
        let found = spec.destinations();
        let [destination] = found.as_slice() else {
            let span = self.spans.key(path);
            let message = match found.len() {
                0 => "the destination names nothing".to_owned(),
                count => format!("the destination names {count} resources"),
            };
            let error = LocatedError::new(span, message);
            self.report(error.hint(format!(
                "write one of {}",
                join_or(&FailureDestination::KEYS)
            )));
            return;
        };
        let value = |key: &'static str| {
            let path: Vec<&str> = path.iter().copied().chain([key]).collect();
            self.spans.value(&path)
        };
        match *destination {
            FailureDestination::Queue(queue) => {
                self.resource(value("queue"), queue, ReferencedService::QUEUE);
            }
            FailureDestination::Topic(topic) => {
                self.resource(value("topic"), topic, ReferencedService::TOPIC);
            }
            FailureDestination::EventBus(bus) => {
                self.resource(value("eventBus"), bus, ReferencedService::EVENT_BUS);
            }
            FailureDestination::Function(other) if other == function => {
                let error = LocatedError::new(
                    value("function"),
                    format!("`{other}` would get the events that it failed to process"),
                );
                self.report(error.hint("name another function, or a `queue`"));
            }
            FailureDestination::Function(other) => self.has_function(value("function"), other),
        }
    }
}
