//! Sets and deletes settings of asynchronous invocations.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use stackgen_gateway_lambda::functions::AsyncSettings;

use super::account::{ExistingResource, LocalAccount};
use super::async_invoke::EVENT_INVOKE_CONFIG;
use super::attributes::function_name;
use super::compute::number;
use super::resource_error::{ResourceError, ignore_missing};

/// Numbers of retries that Lambda accepts.
const RETRIES: RangeInclusive<u64> = 0..=2;

/// Ages of events in seconds that Lambda accepts: up to six hours.
const AGES: RangeInclusive<u64> = 60..=21_600;

/// Sets the settings of a function's version, alias or `$LATEST`.
pub(super) fn put(
    account: &LocalAccount,
    properties: &Map<String, Json>,
) -> Result<(), ResourceError> {
    let default = AsyncSettings::default();
    let retries = number_in(properties, "MaximumRetryAttempts", RETRIES)?;
    let age = number_in(properties, "MaximumEventAgeInSeconds", AGES)?;
    let settings = AsyncSettings {
        retries: match retries {
            Some(retries) => u32::try_from(retries).unwrap_or(u32::MAX),
            None => default.retries,
        },
        max_age: age.map_or(default.max_age, Duration::from_secs),
    };
    let text = |name: &str| properties.get(name).and_then(Json::as_str);
    let name = function_name(text("FunctionName").unwrap_or_default());
    let functions = &account.functions;
    functions.set_async_settings(name, text("Qualifier"), Some(settings))?;
    Ok(())
}

fn number_in(
    properties: &Map<String, Json>,
    name: &str,
    range: RangeInclusive<u64>,
) -> Result<Option<u64>, ResourceError> {
    let number = number(properties, name)?;
    match number {
        Some(number) if !range.contains(&number) => {
            let (least, most) = range.into_inner();
            Err(ResourceError::new(format!(
                "Lambda rejects it: {name} is {number}, and must be at least {least} and at most {most}"
            )))
        }
        number => Ok(number),
    }
}

pub(super) fn delete(
    account: &LocalAccount,
    existing: &ExistingResource,
) -> Result<(), ResourceError> {
    let name = function_name(existing.text("FunctionName"));
    let qualifier = Some(existing.text("Qualifier"));
    let functions = &account.functions;
    ignore_missing(functions.set_async_settings(name, qualifier, None))
}

/// Returns true for settings of a published version.
pub(super) fn is_of_version(existing: &ExistingResource) -> bool {
    existing.kind == EVENT_INVOKE_CONFIG && existing.text("Qualifier").parse::<u64>().is_ok()
}

/// Returns what does not work here as it does on AWS.
pub(super) fn note(properties: &Map<String, Json>) -> Option<String> {
    let destination = |name: &str| {
        let config = properties.get("DestinationConfig")?;
        config.get(name)?.get("Destination")?.as_str()
    };
    let destination = destination("OnFailure").or_else(|| destination("OnSuccess"))?;
    Some(format!(
        "events do not reach {destination} locally; those that fail after all retries are dropped"
    ))
}
