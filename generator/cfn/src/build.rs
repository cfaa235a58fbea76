//! Functions and conversions that build nodes.

use crate::{Intrinsic, IntrinsicCall, Map, Node, Value};

/// Builds a mapping in the given order.
pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Node)>) -> Node {
    Node::from(entries.into_iter().collect::<Map>())
}

/// Builds a list.
pub fn list<T: Into<Node>>(items: impl IntoIterator<Item = T>) -> Node {
    Node::new(Value::List(items.into_iter().map(Into::into).collect()))
}

/// Builds `!Ref name`.
pub fn r#ref(name: impl Into<String>) -> Node {
    IntrinsicCall::new(Intrinsic::Ref, name.into()).into()
}

/// Builds `!GetAtt id.attribute`.
pub fn get_att(id: impl Into<String>, attribute: impl Into<String>) -> Node {
    IntrinsicCall::new(Intrinsic::GetAtt, list([id.into(), attribute.into()])).into()
}

/// Builds `!Sub text`, where `text` contains `${Name}` or `${Name.Attribute}`.
pub fn sub(text: impl Into<String>) -> Node {
    IntrinsicCall::new(Intrinsic::Sub, text.into()).into()
}

/// Builds `!Join [delimiter, items]`.
pub fn join(delimiter: &str, items: impl IntoIterator<Item = Node>) -> Node {
    IntrinsicCall::new(Intrinsic::Join, list([Node::from(delimiter), list(items)])).into()
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Node::new(value)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Node::new(Value::String(text.to_owned()))
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Node::new(Value::String(text))
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Node::new(Value::Bool(value))
    }
}

impl From<i64> for Node {
    fn from(value: i64) -> Self {
        Node::new(Value::Int(value))
    }
}

impl From<u32> for Node {
    fn from(value: u32) -> Self {
        Node::new(Value::Int(value.into()))
    }
}

/// A whole number becomes [`Value::Int`], because documents do not distinguish `5` from `5.0`. NaN and infinities
/// become [`Value::Null`].
impl From<f64> for Node {
    fn from(value: f64) -> Self {
        let whole = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
        Node::new(match value.is_finite() {
            #[allow(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
            true if whole => Value::Int(value as i64),
            true => Value::Float(value),
            false => Value::Null,
        })
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Node::new(Value::Map(map))
    }
}

impl From<IntrinsicCall> for Node {
    fn from(call: IntrinsicCall) -> Self {
        Node::new(Value::Call(call))
    }
}

impl From<Vec<Node>> for Node {
    fn from(items: Vec<Node>) -> Self {
        Node::new(Value::List(items))
    }
}
