//! Properties of schedules.

use serde_json::{Map, Value as Json};
use stackgen_gateway_common::ArnScope;
use stackgen_model::ScheduleExpression;

use super::account::ExistingResource;
use super::compute::split_qualifier;
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
        let arn = target("Arn").unwrap_or_default();
        let function = arn.contains(":function:").then(|| {
            let (name, qualifier) = split_qualifier(arn);
            let mut function = scope.function(name);
            function.qualifier = qualifier.map(str::to_owned);
            function
        });
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
