//! Conversion of the core's types into DynamoDB attributes, by way of JSON.
//!
//! `serde_dynamo` does this, too, but depends on a second version of base64. These types need neither binary values nor
//! sets.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use live_session_core::ports::{StoreError, StoreResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

/// An item or a key.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Returns the item for a value of the schema.
pub(super) fn write<T: Serialize>(value: &T) -> Item {
    match attribute(value) {
        AttributeValue::M(item) => item,
        _ => unreachable!("the schema's types are structs, which serde writes as maps"),
    }
}

/// Returns the attribute for a value.
pub(super) fn attribute<T: Serialize>(value: &T) -> AttributeValue {
    let value = serde_json::to_value(value);
    from_json(
        value.expect("the schema's types are strings, flags and finite numbers under string keys"),
    )
}

/// Returns the value that an item holds. Fails with [`StoreError::Corrupt`] if the item is malformed.
pub(super) fn read<T: DeserializeOwned>(operation: &'static str, item: Item) -> StoreResult<T> {
    let corrupt = |reason| StoreError::Corrupt { operation, reason };
    let value = map_to_json(item).map_err(corrupt)?;
    // `serde_path_to_error` adds the attribute's name, except for missing ones, which serde names.
    serde_path_to_error::deserialize(value).map_err(|error| corrupt(error.to_string()))
}

fn from_json(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(flag),
        Value::Number(number) => AttributeValue::N(in_range(number)),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(from_json).collect()),
        Value::Object(fields) => AttributeValue::M(
            fields
                .into_iter()
                .map(|(name, value)| (name, from_json(value)))
                .collect(),
        ),
    }
}

/// Formats a number for DynamoDB, which stores decimal numbers and so every digit that Rust writes. It refuses numbers
/// below 1E-130, which an `f64` can hold; they become 0.
fn in_range(number: Number) -> String {
    match number.as_f64() {
        Some(value) if value.abs() < 1e-130 => "0".to_owned(),
        _ => number.to_string(),
    }
}

fn map_to_json(item: Item) -> Result<Value, String> {
    let fields = item.into_iter().map(|(name, value)| match to_json(value) {
        Ok(value) => Ok((name, value)),
        Err(reason) => Err(format!("{name}: {reason}")),
    });
    fields.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn to_json(value: AttributeValue) -> Result<Value, String> {
    Ok(match value {
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Bool(flag) => Value::Bool(flag),
        AttributeValue::N(digits) => {
            let number = digits.parse::<Number>();
            Value::Number(number.map_err(|_| "not a number".to_owned())?)
        }
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::L(values) => {
            Value::Array(values.into_iter().map(to_json).collect::<Result<_, _>>()?)
        }
        AttributeValue::M(item) => map_to_json(item)?,
        _ => return Err("not a string, number, boolean, list or map".to_owned()),
    })
}
