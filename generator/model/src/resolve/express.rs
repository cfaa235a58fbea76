//! Expressions as canonical text, so that values that are not known can still be compared.

use serde_json::Value as Json;
use stackgen_cfn::{Map, Node, Value};

use crate::digest::sha256_hex;

/// Longer expressions are replaced by their digest, so that conditions made of conditions cannot grow without bound.
const LONGEST: usize = 2_000;

/// The node as JSON in the long form, keys in byte order, no spaces.
pub(super) fn express(node: &Node) -> String {
    shorten(json(node).to_string())
}

/// The text itself, or its digest when it is long.
pub(super) fn shorten(text: String) -> String {
    if text.len() <= LONGEST {
        return text;
    }
    format!("sha256:{}", sha256_hex(text.as_bytes()))
}

/// A node as a JSON value with sorted keys.
pub(crate) fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::String(text) => Json::from(text.as_str()),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(map) => object(map),
        Value::Call(call) => {
            let mut entry = serde_json::Map::new();
            entry.insert(call.function.long_name().to_owned(), json(&call.argument));
            Json::Object(entry)
        }
    }
}

fn object(map: &Map) -> Json {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    let entries = entries
        .into_iter()
        .map(|(key, node)| (key.to_owned(), json(node)));
    Json::Object(entries.collect())
}
