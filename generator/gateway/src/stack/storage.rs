//! Tables, log groups and roles.

use serde_json::Value as Json;

use super::account::Account;
use super::compute::number;
use super::fault::Fault;
use super::wanted::Wanted;
use crate::Statement;
use crate::tables::{AttributeType, Index, KeyAttribute, KeyType, Projection, Table};

pub(super) async fn table(account: &Account, name: &str, wanted: &Wanted<'_>) -> Result<(), Fault> {
    let properties = Json::Object(wanted.properties.clone());
    let mut indexes = Vec::new();
    for (property, global) in [
        ("GlobalSecondaryIndexes", true),
        ("LocalSecondaryIndexes", false),
    ] {
        for index in list(&properties[property]) {
            indexes.push(Index {
                name: text(&index["IndexName"]),
                global,
                key: key(&index["KeySchema"], &properties)?,
                projection: projection(&index["Projection"]),
            });
        }
    }
    let expiry = &properties["TimeToLiveSpecification"];
    let enabled = !matches!(
        expiry["Enabled"].to_string().as_str(),
        "false" | "\"false\""
    );
    let attribute = expiry["AttributeName"].as_str().filter(|_| enabled);
    let table = Table {
        name: name.to_owned(),
        key: key(&properties["KeySchema"], &properties)?,
        indexes,
        ttl_attribute: attribute.map(str::to_owned),
    };
    account.tables.create(table).await?;
    Ok(())
}

fn key(schema: &Json, table: &Json) -> Result<Vec<KeyAttribute>, Fault> {
    let attributes = list(schema).iter().map(|element| {
        let name = text(&element["AttributeName"]);
        let defined = list(&table["AttributeDefinitions"]).iter();
        let mut defined = defined.filter(|one| one["AttributeName"] == name.as_str());
        let attribute_type = match defined.next().and_then(|one| one["AttributeType"].as_str()) {
            Some("S") => AttributeType::S,
            Some("N") => AttributeType::N,
            Some("B") => AttributeType::B,
            _ => {
                let message = format!(
                    "AttributeDefinitions does not say of which type the key {name} is: S, N or B"
                );
                return Err(Fault::new(message));
            }
        };
        Ok(KeyAttribute {
            name,
            key_type: match element["KeyType"].as_str() {
                Some("RANGE") => KeyType::RANGE,
                _ => KeyType::HASH,
            },
            attribute_type,
        })
    });
    attributes.collect()
}

fn projection(projection: &Json) -> Projection {
    match projection["ProjectionType"].as_str() {
        Some("KEYS_ONLY") => Projection::KeysOnly,
        Some("INCLUDE") => {
            let names = list(&projection["NonKeyAttributes"]).iter().map(text);
            Projection::Include(names.collect())
        }
        _ => Projection::All,
    }
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
        let read: Statement = serde_json::from_value(statement.clone())
            .map_err(|error| Fault::new(format!("a statement of its policies is none: {error}")))?;
        statements.push(read);
    }
    for arn in list(&wanted.properties["ManagedPolicyArns"]) {
        let known = arn.as_str().and_then(Statement::of_managed_policy);
        statements.extend(known.into_iter().flatten());
    }
    account.roles.declare(name, statements);
    Ok(())
}

fn list(value: &Json) -> &[Json] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
