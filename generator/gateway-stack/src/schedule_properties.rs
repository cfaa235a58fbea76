//! Properties of schedules.

use serde_json::{Map, Value as Json};
use stackgen_gateway_common::{ArnScope, FunctionArn};
use stackgen_model::ScheduleExpression;

use super::account::ExistingResource;
use super::resource_error::ResourceError;
use super::schedule::{Schedule, schedule_arn, schedule_path};

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
        let function = target("Arn").and_then(FunctionArn::parse);
        let function = function.filter(|function| function.scope == *scope);
        let name = text("Name").unwrap_or(id);
        let group = text("GroupName").unwrap_or_default();
        Ok(Schedule {
            name: name.to_owned(),
            arn: schedule_arn(scope, &schedule_path(group, name)),
            text: expression.to_owned(),
            expression: parsed,
            function,
            role: target("RoleArn").unwrap_or_default().to_owned(),
            input: target("Input").map(str::to_owned),
            enabled: text("State") != Some("DISABLED"),
        })
    }
}

/// Returns what does not work here as it does on AWS.
pub(super) fn notes(existing: &ExistingResource, scope: &ArnScope) -> Vec<String> {
    let dates = [
        ("StartDate", "it runs before its StartDate, too"),
        ("EndDate", "it runs after its EndDate, too"),
    ];
    let dates = dates
        .into_iter()
        .filter(|(name, _)| existing.properties.contains_key(*name))
        .map(|(_, meaning)| meaning.to_owned());
    note(existing, scope).into_iter().chain(dates).collect()
}

fn note(existing: &ExistingResource, scope: &ArnScope) -> Option<String> {
    let properties = &existing.properties;
    let schedule = Schedule::read(&existing.physical_id, properties, scope).ok()?;
    let text = |name: &str| properties.get(name).and_then(Json::as_str);
    if schedule.function.is_none() {
        let target = properties
            .get("Target")
            .and_then(|target| target.get("Arn")?.as_str());
        let what = match target.and_then(FunctionArn::parse) {
            Some(_) => "a function of another account or region",
            None => "not a function",
        };
        return Some(format!("it runs nothing locally: its target is {what}"));
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
