//! JSON as nodes of a document.

use serde_json::Value as Json;
use stackgen_cfn::{Map, Node, Value};

/// Converts a value. An object never becomes an intrinsic function.
pub(super) fn node(json: &Json) -> Node {
    match json {
        Json::Null => Node::new(Value::Null),
        Json::Bool(value) => Node::from(*value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Node::from(whole),
            None => Node::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Node::from(text.as_str()),
        Json::Array(items) => Node::from(items.iter().map(node).collect::<Vec<_>>()),
        Json::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), node(value)));
            Node::from(entries.collect::<Map>())
        }
    }
}
