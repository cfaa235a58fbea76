//! Creates, updates and deletes functions, versions, aliases and permissions.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use stackgen_gateway_lambda::functions::{
    Code, Configuration, FunctionChange, LogFormat, PermissionStatement,
};

use super::account::{ExistingResource, LocalAccount, UpdateResult};
use super::attributes::function_name;
use super::desired::{DesiredCode, DesiredResource};
use super::resource_error::{ResourceError, ignore_missing};

pub(super) async fn put_function(
    account: &LocalAccount,
    name: &str,
    desired: &DesiredResource<'_>,
    code: Option<DesiredCode>,
) -> Result<UpdateResult, ResourceError> {
    let DesiredCode { code, layers } = code.unwrap_or_else(|| DesiredCode {
        code: Code::Absent("there is no code".to_owned()),
        layers: None,
    });
    let configuration = Configuration {
        layers,
        ..configuration(&desired.properties)?
    };
    let functions = &account.functions;
    let existing = functions.get(name, None).ok();
    let (_, change) = match (&code, existing) {
        // Missing code does not replace existing code: the function keeps running its last code.
        (Code::Absent(_), Some(existing)) if existing.code.root.is_ok() => {
            functions.update_configuration(name, configuration, None)?
        }
        _ => {
            functions
                .create_or_update(name, configuration, code)
                .await?
        }
    };
    let reserved = number(&desired.properties, "ReservedConcurrentExecutions")?;
    let reserved = reserved.and_then(|number| usize::try_from(number).ok());
    functions.set_reserved_concurrency(name, reserved)?;
    Ok(match change {
        FunctionChange::Code => UpdateResult::Code,
        FunctionChange::Created | FunctionChange::Configuration => UpdateResult::Updated,
        FunctionChange::None => UpdateResult::Unchanged,
    })
}

fn configuration(properties: &Map<String, Json>) -> Result<Configuration, ResourceError> {
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
        layers: None,
    })
}

/// Returns a property that is a whole number or a text with one.
pub(super) fn number(
    properties: &Map<String, Json>,
    name: &str,
) -> Result<Option<u64>, ResourceError> {
    let Some(value) = properties.get(name) else {
        return Ok(None);
    };
    let number = value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number
        .map(Some)
        .ok_or_else(|| ResourceError::new(format!("{name} is {value}, not a whole number")))
}

/// Publishes a version and returns its number. If code and configuration are published already, returns the existing version
/// (row D17). CloudFormation fails in this case, which would only get in the way on a laptop.
pub(super) fn publish_version(
    account: &LocalAccount,
    desired: &DesiredResource<'_>,
) -> Result<String, ResourceError> {
    let name = function_name(desired.text("FunctionName"));
    let description = desired.properties.get("Description");
    let description = description.and_then(Json::as_str).map(str::to_owned);
    let version = account
        .functions
        .publish_version(name, description, None, None)?;
    Ok(version.version.clone())
}

pub(super) fn create_alias(
    account: &LocalAccount,
    id: &str,
    desired: &DesiredResource<'_>,
) -> Result<(), ResourceError> {
    account.functions.create_alias(
        function_name(desired.text("FunctionName")),
        id,
        desired.text("FunctionVersion"),
        desired.text("Description").to_owned(),
    )?;
    Ok(())
}

pub(super) fn update_alias(
    account: &LocalAccount,
    id: &str,
    desired: &DesiredResource<'_>,
) -> Result<(), ResourceError> {
    account.functions.update_alias(
        function_name(desired.text("FunctionName")),
        id,
        Some(desired.text("FunctionVersion")),
        Some(desired.text("Description").to_owned()),
        None,
    )?;
    Ok(())
}

pub(super) fn add_permission(
    account: &LocalAccount,
    id: &str,
    desired: &DesiredResource<'_>,
) -> Result<(), ResourceError> {
    let (name, qualifier) = split_qualifier(desired.text("FunctionName"));
    let text = |property: &str| {
        let value = desired.properties.get(property);
        value.and_then(Json::as_str).map(str::to_owned)
    };
    let permission = PermissionStatement {
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

pub(super) fn delete(
    account: &LocalAccount,
    existing: &ExistingResource,
) -> Result<(), ResourceError> {
    let (name, qualifier) = split_qualifier(existing.text("FunctionName"));
    let (functions, id) = (&account.functions, existing.physical_id.as_str());
    match existing.kind.as_str() {
        "AWS::Lambda::Function" => ignore_missing(functions.delete(id, None)),
        "AWS::Lambda::Version" => ignore_missing(functions.delete(name, Some(id))),
        "AWS::Lambda::Alias" => ignore_missing(functions.delete_alias(name, id)),
        _ => ignore_missing(functions.remove_permission(name, qualifier, id, None)),
    }
}

/// Splits a `FunctionName` property into the function's name and the qualifier.
pub(super) fn split_qualifier(text: &str) -> (&str, Option<&str>) {
    let name = function_name(text);
    let rest = text.split_once(":function:").map_or(text, |(_, rest)| rest);
    (name, rest.split_once(':').map(|(_, qualifier)| qualifier))
}
