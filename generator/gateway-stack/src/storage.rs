//! Creates and updates tables, log groups and roles.

use serde_json::Value as Json;
use stackgen_gateway_common::PolicyStatement;

use super::account::LocalAccount;
use super::compute::number;
use super::desired::DesiredResource;
use super::resource_error::ResourceError;

pub(super) async fn put_table(
    account: &LocalAccount,
    name: &str,
    desired: &DesiredResource<'_>,
) -> Result<(), ResourceError> {
    Ok(account.tables.put(name, &desired.properties).await?)
}

pub(super) fn put_log_group(
    account: &LocalAccount,
    name: &str,
    desired: &DesiredResource<'_>,
) -> Result<(), ResourceError> {
    // A function's first log line may have created the group already.
    let _ = account.logs.create_group(name);
    let days = number(&desired.properties, "RetentionInDays")?;
    let days = days.and_then(|days| u32::try_from(days).ok());
    let retained = account.logs.set_retention(name, days);
    retained.map_err(|error| ResourceError::new(error.to_string()))
}

/// Sets the permissions of a role. Unknown managed policies grant nothing.
pub(super) fn set_role(
    account: &LocalAccount,
    name: &str,
    desired: &DesiredResource<'_>,
) -> Result<(), ResourceError> {
    let mut statements = Vec::new();
    for statement in list(&desired.properties["Statements"]) {
        let read: PolicyStatement = serde_json::from_value(statement.clone()).map_err(|error| {
            ResourceError::new(format!(
                "its policies contain an invalid statement: {error}"
            ))
        })?;
        statements.push(read);
    }
    for arn in list(&desired.properties["ManagedPolicyArns"]) {
        let known = arn.as_str().and_then(PolicyStatement::managed_policy);
        statements.extend(known.into_iter().flatten());
    }
    account.roles.declare(name, statements);
    Ok(())
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
