//! Tables, log groups and roles.

use serde_json::Value as Json;
use stackgen_gateway_common::PolicyStatement;

use super::account::Account;
use super::compute::number;
use super::fault::Fault;
use super::wanted::Wanted;

pub(super) async fn table(account: &Account, name: &str, wanted: &Wanted<'_>) -> Result<(), Fault> {
    Ok(account.tables.put(name, &wanted.properties).await?)
}

pub(super) fn log_group(account: &Account, name: &str, wanted: &Wanted<'_>) -> Result<(), Fault> {
    // One that a function's first line made is the same one.
    let _ = account.logs.create_group(name);
    let days = number(&wanted.properties, "RetentionInDays")?;
    let days = days.and_then(|days| u32::try_from(days).ok());
    let retained = account.logs.retain(name, days);
    retained.map_err(|error| Fault::new(error.to_string()))
}

/// Declares what a role may do. A managed policy that is not known grants nothing.
pub(super) fn role(account: &Account, name: &str, wanted: &Wanted<'_>) -> Result<(), Fault> {
    let mut statements = Vec::new();
    for statement in list(&wanted.properties["Statements"]) {
        let read: PolicyStatement = serde_json::from_value(statement.clone())
            .map_err(|error| Fault::new(format!("a statement of its policies is none: {error}")))?;
        statements.push(read);
    }
    for arn in list(&wanted.properties["ManagedPolicyArns"]) {
        let known = arn.as_str().and_then(PolicyStatement::managed_policy);
        statements.extend(known.into_iter().flatten());
    }
    account.roles.declare(name, statements);
    Ok(())
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
