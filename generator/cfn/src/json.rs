//! Conversion between nodes and JSON values, in which intrinsic functions have their long form.

use serde_json::Value as Json;

use crate::{IntrinsicCall, Map, Node, Value};

/// Returns the document as a JSON value with keys in the same order. A float that is not finite becomes a string.
pub fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => match serde_json::Number::from_f64(*value) {
            Some(number) => number.into(),
            None => value.to_string().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => map
            .iter()
            .map(|(key, node)| (key.to_owned(), to_json(node)))
            .collect(),
        Value::Call(call) => {
            let argument = (
                call.function.long_name().to_owned(),
                to_json(&call.argument),
            );
            Json::Object(std::iter::once(argument).collect())
        }
    }
}

/// Returns the document of a JSON value. Long-form intrinsic functions become calls, as in [`crate::parse()`].
pub fn from_json(value: &Json) -> Node {
    Node::new(match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(float)) if number.is_f64() => Value::Float(float),
            _ => Value::String(number.to_string()),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(entries) => IntrinsicCall::fold(
            entries
                .iter()
                .map(|(key, value)| (key.as_str(), from_json(value)))
                .collect::<Map>(),
        ),
    })
}
