//! Asynchronous invocations of functions: schedules, retries, and destinations of what failed.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Duration, Expression};

/// Schedule of a function: an expression, or a mapping with settings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "ScheduleEntry")]
pub enum ScheduleEntrySpec {
    /// `rate(5 minutes)`, or `cron(0 8 ? * MON-FRI *)` in UTC.
    Expression(#[schemars(extend("format" = "schedule-expression"))] String),
    /// Schedule with settings.
    Schedule(ScheduleSpec),
}

impl ScheduleEntrySpec {
    /// Returns the schedule with every setting; those left out have their defaults.
    pub fn schedule(&self) -> ScheduleSpec {
        match self {
            ScheduleEntrySpec::Expression(expression) => ScheduleSpec {
                expression: expression.clone(),
                timezone: None,
            },
            ScheduleEntrySpec::Schedule(schedule) => schedule.clone(),
        }
    }
}

/// Schedule with settings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Schedule")]
pub struct ScheduleSpec {
    /// `rate(5 minutes)`, or `cron(0 8 ? * MON-FRI *)`: minutes, hours, day of month, month, day of week, year.
    #[schemars(extend("format" = "schedule-expression"))]
    pub expression: String,
    /// Time zone of a cron expression, such as `Europe/Berlin`. Default `UTC`.
    #[schemars(extend("format" = "time-zone"))]
    pub timezone: Option<String>,
}

/// Settings of asynchronous invocations: those by a schedule, an S3 bucket, an SNS topic or the invocation type `Event`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "AsyncInvoke")]
pub struct AsyncInvokeSpec {
    /// Number of retries after a failed invocation. Default 2.
    #[schemars(range(min = 0, max = 2))]
    pub retries: Option<u32>,
    /// Age after which Lambda drops an event that it could not process, 1 minute to 6 hours. Default `6h`.
    pub maximum_age: Option<Duration>,
    /// Destination of events that Lambda dropped, with the reason.
    pub on_failure: Option<DestinationSpec>,
}

/// Destination of events that failed. It names one of `queue`, `topic`, `eventBus` and `function`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Destination")]
pub struct DestinationSpec {
    /// SQS queue: its name under `queues`, its logical ID under `resources`, or its ARN.
    pub queue: Option<Expression>,
    /// SNS topic: its logical ID under `resources`, or its ARN.
    pub topic: Option<Expression>,
    /// EventBridge event bus: its logical ID under `resources`, or its ARN.
    pub event_bus: Option<Expression>,
    /// Function of this file.
    pub function: Option<String>,
}

/// Destination that a [`DestinationSpec`] names.
#[derive(Clone, Copy, Debug)]
pub enum FailureDestination<'a> {
    /// SQS queue.
    Queue(&'a Expression),
    /// SNS topic.
    Topic(&'a Expression),
    /// Event bus.
    EventBus(&'a Expression),
    /// Function.
    Function(&'a str),
}

impl FailureDestination<'_> {
    /// Keys of stackgen.yaml that name a destination.
    pub const KEYS: [&'static str; 4] = ["queue", "topic", "eventBus", "function"];
}

impl DestinationSpec {
    /// Returns all destinations that the mapping names. A valid one names one.
    pub fn destinations(&self) -> Vec<FailureDestination<'_>> {
        let found = [
            self.queue.as_ref().map(FailureDestination::Queue),
            self.topic.as_ref().map(FailureDestination::Topic),
            self.event_bus.as_ref().map(FailureDestination::EventBus),
            self.function.as_deref().map(FailureDestination::Function),
        ];
        found.into_iter().flatten().collect()
    }
}
