//! Items: the core's types as DynamoDB's attributes, by way of JSON.
//!
//! `serde_dynamo` would do this, too, but brings a second base64; these types need no binary and no sets.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use live_session_core::ports::{StoreError, Stored};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

/// An item, or a key.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The item that a type of the schema is written as.
pub(super) fn write<T: Serialize>(value: &T) -> Item {
    match attribute(value) {
        AttributeValue::M(item) => item,
        _ => unreachable!("the schema's types are structs, which serde writes as maps"),
    }
}

/// One value as an attribute.
pub(super) fn attribute<T: Serialize>(value: &T) -> AttributeValue {
    let value = serde_json::to_value(value);
    from_json(
        value.expect("the schema's types are strings, flags and finite numbers under string keys"),
    )
}

/// The type that an item holds. An item which is not as this code writes it is [`StoreError::Corrupt`].
pub(super) fn read<T: DeserializeOwned>(operation: &'static str, item: Item) -> Stored<T> {
    let corrupt = |reason| StoreError::Corrupt { operation, reason };
    let value = map_to_json(item).map_err(corrupt)?;
    // Names the attribute; one that is missing is named already.
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

/// DynamoDB's numbers are decimal: every digit that Rust writes is kept. They end at 1E-130, though, where an `f64` goes
/// on; what is smaller is refused there and so is 0 here.
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
        _ => return Err("neither text, number, flag, list nor map".to_owned()),
    })
}
