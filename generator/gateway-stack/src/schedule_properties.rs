//! Properties of schedules.

use std::sync::OnceLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde_json::{Map, Value as Json};
use stackgen_gateway_common::services::not_run_message;
use stackgen_gateway_common::{ArnScope, EpochMillis};
use stackgen_model::{ScheduleExpression, parse_utc};

use super::account::ExistingResource;
use super::resource_error::ResourceError;
use super::schedule::{Schedule, ScheduleTiming, schedule_arn, schedule_path};
use super::schedule_target::ScheduleTarget;

/// Folder of the time zones.
const ZONES: &str = "/usr/share/zoneinfo";

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
        let parsed = ScheduleExpression::parse_with_time(expression).map_err(|error| {
            ResourceError::new(format!("`{expression}` is not a schedule: {error}"))
        })?;
        let date = |name: &str| match text(name) {
            None => Ok(None),
            Some(date) => match parse_utc(date) {
                Ok(seconds) => Ok(Some(EpochMillis::from_millis(seconds * 1000))),
                Err(error) => Err(ResourceError::new(format!(
                    "{name} `{date}` is not a date: {error}"
                ))),
            },
        };
        let name = text("Name").unwrap_or(id);
        let group = text("GroupName").unwrap_or_default();
        Ok(Schedule {
            name: name.to_owned(),
            arn: schedule_arn(scope, &schedule_path(group, name)),
            text: expression.to_owned(),
            timing: ScheduleTiming {
                expression: parsed,
                zone: zone(properties).unwrap_or(TimeZone::UTC),
                start: date("StartDate")?,
                end: date("EndDate")?,
            },
            target: read_target(properties, scope).ok(),
            role: target("RoleArn").unwrap_or_default().to_owned(),
            input: target("Input").map(str::to_owned),
            enabled: text("State") != Some("DISABLED"),
        })
    }
}

fn read_target(
    properties: &Map<String, Json>,
    scope: &ArnScope,
) -> Result<ScheduleTarget, &'static str> {
    let target = properties.get("Target").unwrap_or(&Json::Null);
    ScheduleTarget::read(target, scope)
}

/// Returns the time zone of a schedule; `None` if this machine does not have it.
fn zone(properties: &Map<String, Json>) -> Option<TimeZone> {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    match zone_name(properties) {
        None | Some("UTC" | "Etc/UTC") => Some(TimeZone::UTC),
        Some(name) => {
            let database = || TimeZoneDatabase::from_dir(ZONES);
            let database =
                DATABASE.get_or_init(|| database().unwrap_or_else(|_| TimeZoneDatabase::none()));
            database.get(name).ok()
        }
    }
}

fn zone_name(properties: &Map<String, Json>) -> Option<&str> {
    let name = properties.get("ScheduleExpressionTimezone")?;
    name.as_str()
}

/// Returns what does not work here as it does on AWS. `has_services` is true if other services have an endpoint.
pub(super) fn notes(
    existing: &ExistingResource,
    scope: &ArnScope,
    has_services: bool,
) -> Vec<String> {
    let properties = &existing.properties;
    let Ok(schedule) = Schedule::read(&existing.physical_id, properties, scope) else {
        return Vec::new();
    };
    let target = match read_target(properties, scope) {
        Ok(target) => target,
        Err(what) => return vec![format!("it runs nothing locally: its target is {what}")],
    };
    let elsewhere = target.service_elsewhere().filter(|_| !has_services);
    let elsewhere =
        elsewhere.map(|service| format!("it runs nothing locally: {}", not_run_message(service)));
    let unknown = zone_name(properties).filter(|_| zone(properties).is_none());
    let unknown = unknown.map(|name| {
        format!("its times are in UTC locally, because {ZONES} of this machine has no {name}")
    });
    elsewhere
        .into_iter()
        .chain(unknown)
        .chain(past(&schedule))
        .collect()
}

/// Returns the note on a schedule that does not run any more.
fn past(schedule: &Schedule) -> Option<String> {
    let (now, timing) = (EpochMillis::now(), &schedule.timing);
    // Scheduler ignores the dates of a schedule that runs once.
    let (end, property) = match timing.single_time() {
        Some(time) => (Some(time), schedule.text.as_str()),
        None => (timing.end, "its EndDate"),
    };
    end.filter(|end| *end < now)
        .map(|_| format!("it runs no more: {property} has passed"))
}
