//! Functions, versions, aliases and permissions.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use stackgen_gateway_lambda::functions::{Change, Code, Configuration, LogFormat, Permission};

use super::account::{Account, Done, Existing};
use super::attributes::function_name;
use super::fault::{Fault, gone};
use super::wanted::Wanted;

pub(super) async fn function(
    account: &Account,
    name: &str,
    wanted: &Wanted<'_>,
    code: Option<Code>,
) -> Result<Done, Fault> {
    let code = code.unwrap_or_else(|| Code::Absent("there is no code".to_owned()));
    let configuration = configuration(&wanted.properties)?;
    let functions = &account.functions;
    let there = functions.get(name, None).ok();
    let (_, change) = match (&code, there) {
        // Code that is not found takes none away that was.
        (Code::Absent(_), Some(there)) if there.code.root.is_ok() => {
            functions.update_configuration(name, configuration, None)?
        }
        _ => functions.put(name, configuration, code).await?,
    };
    let reserved = number(&wanted.properties, "ReservedConcurrentExecutions")?;
    let reserved = reserved.and_then(|number| usize::try_from(number).ok());
    functions.reserve(name, reserved)?;
    Ok(match change {
        Change::Code => Done::Code,
        Change::Created | Change::Configuration => Done::Updated,
        Change::None => Done::Nothing,
    })
}

fn configuration(properties: &Map<String, Json>) -> Result<Configuration, Fault> {
    let default = Configuration::default();
    let text = |name: &str| properties.get(name).and_then(Json::as_str);
    let owned = |name: &str, default: String| text(name).map_or(default, str::to_owned);
    let logging = properties.get("LoggingConfig");
    let logging = |name: &str| logging.and_then(|logging| logging.get(name)?.as_str());
    let variables = properties.get("Variables").and_then(Json::as_object);
    let variables = variables.into_iter().flatten();
    let architecture = properties.get("Architectures").and_then(|list| list.get(0));
    Ok(Configuration {
        description: owned("Description", default.description),
        runtime: owned("Runtime", default.runtime),
        handler: owned("Handler", default.handler),
        role: owned("Role", default.role),
        timeout: number(properties, "Timeout")?.map_or(default.timeout, Duration::from_secs),
        memory_size: match number(properties, "MemorySize")? {
            Some(megabytes) => u32::try_from(megabytes).unwrap_or(u32::MAX),
            None => default.memory_size,
        },
        environment: variables
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
        architecture: architecture
            .and_then(Json::as_str)
            .map_or(default.architecture, str::to_owned),
        log_group: logging("LogGroup").map(str::to_owned),
        log_format: match logging("LogFormat") {
            Some("JSON") => LogFormat::Json,
            _ => LogFormat::Text,
        },
    })
}

/// A whole number, also when it is written as text.
pub(super) fn number(properties: &Map<String, Json>, name: &str) -> Result<Option<u64>, Fault> {
    let Some(value) = properties.get(name) else {
        return Ok(None);
    };
    let number = value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number
        .map(Some)
        .ok_or_else(|| Fault::new(format!("{name} is {value}, which is no whole number")))
}

/// Publishes a version, and tells its number. Of code and configuration that have one already, it is that one (row
/// D17): CloudFormation fails there, but stacks that shared it would not help anybody on a laptop.
pub(super) fn publish(account: &Account, wanted: &Wanted<'_>) -> Result<String, Fault> {
    let name = function_name(wanted.text("FunctionName"));
    let description = wanted.properties.get("Description");
    let description = description.and_then(Json::as_str).map(str::to_owned);
    let version = account
        .functions
        .publish_version(name, description, None, None)?;
    Ok(version.version.clone())
}

pub(super) fn create_alias(account: &Account, id: &str, wanted: &Wanted<'_>) -> Result<(), Fault> {
    account.functions.create_alias(
        function_name(wanted.text("FunctionName")),
        id,
        wanted.text("FunctionVersion"),
        wanted.text("Description").to_owned(),
    )?;
    Ok(())
}

pub(super) fn update_alias(account: &Account, id: &str, wanted: &Wanted<'_>) -> Result<(), Fault> {
    account.functions.update_alias(
        function_name(wanted.text("FunctionName")),
        id,
        Some(wanted.text("FunctionVersion")),
        Some(wanted.text("Description").to_owned()),
        None,
    )?;
    Ok(())
}

pub(super) fn permit(account: &Account, id: &str, wanted: &Wanted<'_>) -> Result<(), Fault> {
    let (name, qualifier) = qualified(wanted.text("FunctionName"));
    let text = |property: &str| {
        let value = wanted.properties.get(property);
        value.and_then(Json::as_str).map(str::to_owned)
    };
    let permission = Permission {
        statement_id: id.to_owned(),
        action: text("Action").unwrap_or_default(),
        principal: text("Principal").unwrap_or_default(),
        source_arn: text("SourceArn"),
        source_account: text("SourceAccount"),
    };
    account
        .functions
        .add_permission(name, qualifier, permission, None)?;
    Ok(())
}

pub(super) fn delete(account: &Account, existing: &Existing) -> Result<(), Fault> {
    let (name, qualifier) = qualified(existing.text("FunctionName"));
    let (functions, id) = (&account.functions, existing.physical.as_str());
    match existing.kind.as_str() {
        "AWS::Lambda::Function" => gone(functions.delete(id, None)),
        "AWS::Lambda::Version" => gone(functions.delete(name, Some(id))),
        "AWS::Lambda::Alias" => gone(functions.delete_alias(name, id)),
        _ => gone(functions.remove_permission(name, qualifier, id, None)),
    }
}

/// A function's name and the qualifier behind it, in what a `FunctionName` property takes.
fn qualified(text: &str) -> (&str, Option<&str>) {
    let name = function_name(text);
    let rest = text.split_once(":function:").map_or(text, |(_, rest)| rest);
    (name, rest.split_once(':').map(|(_, qualifier)| qualifier))
}
