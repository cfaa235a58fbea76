//! Schedules of EventBridge Scheduler in templates.

use serde_json::{Map, Value as Json};
use stackgen_gateway_common::{ArnScope, FunctionArn};
use stackgen_model::ScheduleExpression;

use super::account::ExistingResource;
use super::compute::split_qualifier;
use super::resource_error::ResourceError;

/// Type of schedules.
pub(super) const SCHEDULE: &str = "AWS::Scheduler::Schedule";

/// Properties of a schedule that the gateway uses.
pub(super) const PROPERTIES: &[&str] = &[
    "GroupName",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
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

impl Schedule {
    /// Reads the resolved properties of a schedule.
    pub(super) fn read(
        id: &str,
        properties: &Map<String, Json>,
        scope: &ArnScope,
    ) -> Result<Self, ResourceError> {
        let text = |name: &str| properties.get(name).and_then(Json::as_str);
        let target = |name: &str| properties.get("Target")?.get(name)?.as_str();
        let expression = text("ScheduleExpression").unwrap_or_default();
        let parsed = match ScheduleExpression::parse(expression) {
            Ok(parsed) => Some(parsed),
            Err(_) if expression.starts_with("at(") => None,
            Err(error) => {
                let message = format!("`{expression}` is not a schedule: {error}");
                return Err(ResourceError::new(message));
            }
        };
        let arn = target("Arn").unwrap_or_default();
        let function = arn.contains(":function:").then(|| {
            let (name, qualifier) = split_qualifier(arn);
            let mut function = scope.function(name);
            function.qualifier = qualifier.map(str::to_owned);
            function
        });
        let (name, group) = (text("Name").unwrap_or(id), text("GroupName"));
        let group = group.unwrap_or("default");
        Ok(Schedule {
            name: name.to_owned(),
            arn: scope.resource("scheduler", format_args!("schedule/{group}/{name}")),
            expression: parsed,
            function,
            role: target("RoleArn").unwrap_or_default().to_owned(),
            input: target("Input").map(str::to_owned),
            enabled: text("State") != Some("DISABLED"),
        })
    }
}

/// Returns what does not work here as it does on AWS.
pub(super) fn note(existing: &ExistingResource, scope: &ArnScope) -> Option<String> {
    let properties = &existing.properties;
    let schedule = Schedule::read(&existing.physical_id, properties, scope).ok()?;
    let text = |name: &str| properties.get(name).and_then(Json::as_str);
    if schedule.function.is_none() {
        return Some("it runs nothing locally: its target is not a function".to_owned());
    }
    match schedule.expression {
        None => {
            Some("it runs nothing locally: only `rate` and `cron` expressions run here".to_owned())
        }
        Some(ScheduleExpression::Cron(_)) => text("ScheduleExpressionTimezone")
            .filter(|zone| !matches!(*zone, "UTC" | "Etc/UTC"))
            .map(|zone| format!("its times are in UTC locally, and in {zone} on AWS")),
        Some(ScheduleExpression::Rate(_)) => None,
    }
}
