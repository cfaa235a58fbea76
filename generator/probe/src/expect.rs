//! Expected messages, and the results of comparing expectations with observations.

use serde::Serialize;
use serde_json::Value;

/// Pattern for an expected message.
#[derive(Clone, PartialEq)]
pub enum Expectation {
    /// JSON document that contains at least this: objects may have more members, arrays must have as many elements.
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
    /// Parses a pattern: a JSON object or array, or any other text.
    pub fn parse(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => Expectation::Json(value),
            _ => Expectation::Text(text.to_owned()),
        }
    }

    /// Returns true if the message matches.
    pub fn matches(&self, message: &str) -> bool {
        match self {
            Expectation::Text(text) => message.contains(text),
            Expectation::Json(expected) => {
                serde_json::from_str(message).is_ok_and(|value| contains(&value, expected))
            }
        }
    }

    /// Returns the pattern as text.
    pub fn text(&self) -> String {
        match self {
            Expectation::Text(text) => text.clone(),
            Expectation::Json(value) => value.to_string(),
        }
    }
}

/// Returns true if the value contains everything that is expected.
fn contains(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            expected.iter().all(|(key, expected)| {
                value
                    .get(key)
                    .is_some_and(|value| contains(value, expected))
            })
        }
        (Value::Array(values), Value::Array(expected)) => {
            values.len() == expected.len()
                && values
                    .iter()
                    .zip(expected)
                    .all(|(value, expected)| contains(value, expected))
        }
        // serde_json distinguishes 1 from 1.0; JSON does not.
        (Value::Number(value), Value::Number(expected)) => {
            value == expected || value.as_f64() == expected.as_f64()
        }
        _ => value == expected,
    }
}

/// Result of comparing one expectation with the observations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// Expectation in words.
    #[serde(rename = "wanted")]
    pub expected: String,
    /// True if the expectation is met.
    pub met: bool,
    /// Observation in words.
    #[serde(rename = "seen")]
    pub actual: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_may_have_more_members_and_arrays_no_more_elements() {
        let matches = |pattern: &str, message: &str| Expectation::parse(pattern).matches(message);
        assert!(matches(
            r#"{"a":{"b":1}}"#,
            r#"{"a":{"b":1.0,"c":2},"d":3}"#
        ));
        assert!(!matches(r#"{"a":{"b":1}}"#, r#"{"a":{"b":2}}"#));
        assert!(matches(r#"[{"a":1}]"#, r#"[{"a":1,"b":2}]"#));
        assert!(!matches(r#"[{"a":1}]"#, r#"[{"a":1},{"a":2}]"#));
        assert!(!matches(r#"{"a":1}"#, "a:1"));
        assert!(matches("pong", "ping pong"));
        assert!(matches("42", "it is 42"));
    }
}
