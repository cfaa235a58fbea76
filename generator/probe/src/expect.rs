//! What somebody wants to see, and whether it was seen.

use serde::Serialize;
use serde_json::Value;

/// A message that is wanted.
#[derive(Clone, PartialEq)]
pub enum Expectation {
    /// A JSON document that has at least this: objects may have more members, arrays may not have more elements.
    Json(Value),
    /// Text that contains this.
    Text(String),
}

impl std::fmt::Debug for Expectation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Expectation::Json(_) => "Json",
            Expectation::Text(_) => "Text",
        })
    }
}

impl Expectation {
    /// A JSON object or array is one, and all else is text.
    pub fn parse(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => Expectation::Json(value),
            _ => Expectation::Text(text.to_owned()),
        }
    }

    /// True for a message that is as wanted.
    pub fn met_by(&self, message: &str) -> bool {
        match self {
            Expectation::Text(text) => message.contains(text),
            Expectation::Json(wanted) => {
                serde_json::from_str(message).is_ok_and(|value| holds(&value, wanted))
            }
        }
    }

    /// What is wanted, as it was asked for.
    pub fn says(&self) -> String {
        match self {
            Expectation::Text(text) => text.clone(),
            Expectation::Json(value) => value.to_string(),
        }
    }
}

/// True when the value has all that is wanted.
fn holds(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| value.get(key).is_some_and(|value| holds(value, wanted))),
        (Value::Array(values), Value::Array(wanted)) => {
            values.len() == wanted.len()
                && values
                    .iter()
                    .zip(wanted)
                    .all(|(value, wanted)| holds(value, wanted))
        }
        // 1 and 1.0 are one number.
        (Value::Number(value), Value::Number(wanted)) => {
            value == wanted || value.as_f64() == wanted.as_f64()
        }
        _ => value == wanted,
    }
}

/// Something that was wanted, and whether it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was wanted.
    pub wanted: String,
    /// Whether it happened.
    pub met: bool,
    /// What happened.
    pub seen: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subset_is_enough_of_objects_and_never_of_arrays() {
        let met = |wanted: &str, message: &str| Expectation::parse(wanted).met_by(message);
        assert!(met(r#"{"a":{"b":1}}"#, r#"{"a":{"b":1.0,"c":2},"d":3}"#));
        assert!(!met(r#"{"a":{"b":1}}"#, r#"{"a":{"b":2}}"#));
        assert!(met(r#"[{"a":1}]"#, r#"[{"a":1,"b":2}]"#));
        assert!(!met(r#"[{"a":1}]"#, r#"[{"a":1},{"a":2}]"#));
        assert!(!met(r#"{"a":1}"#, "a:1"));
        assert!(met("pong", "ping pong"));
        assert!(met("42", "it is 42"));
    }
}
