//! Schedules of EventBridge Scheduler in templates.

use stackgen_gateway_common::{ArnScope, FunctionArn};
use stackgen_model::ScheduleExpression;

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

/// Schedule that invokes a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Name.
    pub name: String,
    /// ARN, which events contain.
    pub arn: String,
    /// Text of the expression.
    pub text: String,
    /// Times at which it runs, in UTC. `None` for expressions that do not run here, such as `at(…)`.
    pub expression: Option<ScheduleExpression>,
    /// Function that it invokes, with the qualifier. `None` for other targets.
    pub function: Option<FunctionArn>,
    /// ARN of the role with which it invokes the function.
    pub role: String,
    /// Event, unless it is the default one.
    pub input: Option<String>,
    /// False if the schedule exists but does not run.
    pub enabled: bool,
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
