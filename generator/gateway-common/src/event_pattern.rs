//! Event patterns, by which rules, subscriptions and event source mappings select events.

use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::pattern_number::{NumericRange, number};

/// Pattern in the language of EventBridge, with the operators that Lambda's filters have.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPattern(Fields);

/// Reason why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EventPatternError {
    /// The text is not a JSON object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// A value is neither an object nor a list of alternatives.
    #[error("`{0}` must be a list of values or an object")]
    NotAList(String),
    /// A list has no alternatives.
    #[error("the list of `{0}` is empty")]
    Empty(String),
    /// An alternative has no operator, more than one, or an unknown one.
    #[error("`{key}` has an operator that event filters do not know: {alternative}")]
    Operator {
        /// Key of the list.
        key: String,
        /// The alternative as JSON.
        alternative: String,
    },
}

/// Conditions on the members of an object. All must hold.
#[derive(Clone, Debug, PartialEq)]
struct Fields(Vec<(String, Condition)>);

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    /// The member is an object whose members meet these conditions.
    Nested(Fields),
    /// One of these holds for the member.
    Leaf(Vec<Alternative>),
    /// One of these holds for the object itself: `$or`.
    Either(Vec<Fields>),
}

#[derive(Clone, Debug, PartialEq)]
enum Alternative {
    Equals(Json),
    EqualsIgnoreCase(String),
    Exists(bool),
    Prefix(String),
    Suffix(String),
    Numeric(NumericRange),
    /// The member exists, and none of these holds for it.
    AnythingBut(Vec<Alternative>),
}

impl EventPattern {
    /// Parses the JSON text of a pattern.
    ///
    /// # Errors
    ///
    /// If the text is not a pattern that Lambda accepts.
    pub fn parse(text: &str) -> Result<Self, EventPatternError> {
        match serde_json::from_str(text) {
            Ok(Json::Object(fields)) => Ok(EventPattern(Fields::read(&fields)?)),
            _ => Err(EventPatternError::NotAnObject),
        }
    }

    /// Returns true if an event matches.
    pub fn matches(&self, event: &Json) -> bool {
        self.0.hold(Some(event))
    }
}

impl Fields {
    fn read(fields: &Map<String, Json>) -> Result<Self, EventPatternError> {
        let read = fields.iter().map(|(key, value)| {
            let condition = Condition::read(key, value)?;
            Ok((key.clone(), condition))
        });
        Ok(Fields(read.collect::<Result<_, _>>()?))
    }

    /// Decides whether the conditions hold for a value, which may be missing.
    fn hold(&self, value: Option<&Json>) -> bool {
        match value {
            // One element must meet all conditions.
            Some(Json::Array(items)) => items.iter().any(|item| self.hold(Some(item))),
            None | Some(Json::Object(_)) => {
                let mut conditions = self.0.iter();
                conditions.all(|(key, condition)| condition.holds(key, value))
            }
            Some(_) => false,
        }
    }
}

impl Condition {
    fn read(key: &str, value: &Json) -> Result<Self, EventPatternError> {
        match value {
            Json::Object(fields) => Ok(Condition::Nested(Fields::read(fields)?)),
            Json::Array(list) if list.is_empty() => Err(EventPatternError::Empty(key.to_owned())),
            Json::Array(list) if key == "$or" => {
                let fields = list.iter().map(|item| match item {
                    Json::Object(fields) => Fields::read(fields),
                    _ => Err(EventPatternError::NotAList(key.to_owned())),
                });
                Ok(Condition::Either(fields.collect::<Result<_, _>>()?))
            }
            Json::Array(list) => {
                let alternatives = list.iter().map(|item| Alternative::read(key, item));
                Ok(Condition::Leaf(alternatives.collect::<Result<_, _>>()?))
            }
            _ => Err(EventPatternError::NotAList(key.to_owned())),
        }
    }

    fn holds(&self, key: &str, object: Option<&Json>) -> bool {
        let member = object.and_then(|object| object.get(key));
        match self {
            Condition::Nested(fields) => fields.hold(member),
            Condition::Leaf(alternatives) => alternatives.iter().any(|one| one.holds(member)),
            Condition::Either(alternatives) => alternatives.iter().any(|one| one.hold(object)),
        }
    }
}

impl Alternative {
    fn read(key: &str, value: &Json) -> Result<Self, EventPatternError> {
        let unknown = || EventPatternError::Operator {
            key: key.to_owned(),
            alternative: value.to_string(),
        };
        let operator = match value {
            Json::Object(operator) if operator.len() == 1 => operator.iter().next(),
            Json::Object(_) | Json::Array(_) => None,
            scalar => return Ok(Alternative::Equals(scalar.clone())),
        };
        let read = operator.and_then(|(name, argument)| match (name.as_str(), argument) {
            ("exists", Json::Bool(exists)) => Some(Alternative::Exists(*exists)),
            ("prefix", Json::String(text)) => Some(Alternative::Prefix(text.clone())),
            ("suffix", Json::String(text)) => Some(Alternative::Suffix(text.clone())),
            ("equals-ignore-case", Json::String(text)) => {
                Some(Alternative::EqualsIgnoreCase(text.to_lowercase()))
            }
            ("numeric", Json::Array(list)) => NumericRange::read(list).map(Alternative::Numeric),
            ("anything-but", argument) => Self::excluded(key, argument),
            _ => None,
        });
        read.ok_or_else(unknown)
    }

    /// Reads the argument of `anything-but`: a scalar, a list of scalars, or an operator on text.
    fn excluded(key: &str, argument: &Json) -> Option<Self> {
        let list = match argument {
            Json::Array(list) if list.is_empty() => return None,
            Json::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        let excluded = list.iter().map(|one| Self::read(key, one));
        let excluded: Vec<_> = excluded.collect::<Result<_, _>>().ok()?;
        let allowed = excluded.iter().all(|one| {
            !matches!(
                one,
                Alternative::AnythingBut(_) | Alternative::Exists(_) | Alternative::Numeric(_)
            )
        });
        allowed.then_some(Alternative::AnythingBut(excluded))
    }

    /// Decides whether the alternative holds for a member: for one of its elements, if it is a list.
    fn holds(&self, member: Option<&Json>) -> bool {
        match (self, member) {
            (Alternative::Exists(exists), member) => *exists == member.is_some(),
            (_, None) => false,
            (Alternative::AnythingBut(excluded), member) => {
                !excluded.iter().any(|one| one.holds(member))
            }
            (_, Some(Json::Array(items))) => items.iter().any(|item| self.holds(Some(item))),
            (Alternative::Numeric(range), Some(value)) => {
                number(value).is_some_and(|number| range.contains(number))
            }
            (Alternative::Equals(expected), Some(value)) => match (number(expected), number(value))
            {
                (Some(expected), Some(value)) => expected == value,
                _ => expected == value,
            },
            (text, Some(Json::String(value))) => match text {
                Alternative::Prefix(prefix) => value.starts_with(prefix),
                Alternative::Suffix(suffix) => value.ends_with(suffix),
                Alternative::EqualsIgnoreCase(expected) => value.to_lowercase() == *expected,
                _ => false,
            },
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: &Json, event: &Json) -> bool {
        EventPattern::parse(&pattern.to_string())
            .unwrap()
            .matches(event)
    }

    #[test]
    fn an_event_matches_if_every_key_of_the_pattern_has_one_of_its_values() {
        let event = json!({
            "body": { "kind": "order", "total": 12.5, "tags": ["a", "b"], "note": null, "to": { "city": "Bern" } }
        });
        for (pattern, expected) in [
            (json!({}), true),
            (json!({ "body": { "kind": ["order", "offer"] } }), true),
            (json!({ "body": { "kind": ["offer"] } }), false),
            (
                json!({ "body": { "kind": ["order"], "missing": ["x"] } }),
                false,
            ),
            (json!({ "body": { "total": [12.50] } }), true),
            (json!({ "body": { "total": ["12.5"] } }), false),
            (json!({ "body": { "tags": ["b"] } }), true),
            (json!({ "body": { "note": [null] } }), true),
            (json!({ "body": { "to": { "city": ["Bern"] } } }), true),
            (json!({ "body": { "kind": { "city": ["Bern"] } } }), false),
            (json!({ "body": ["order"] }), false),
            (
                json!({ "$or": [{ "body": { "kind": ["x"] } }, { "body": { "total": [12.5] } }] }),
                true,
            ),
            (
                json!({ "body": { "$or": [{ "kind": ["x"] }, { "kind": ["y"] }] } }),
                false,
            ),
        ] {
            assert_eq!(matches(&pattern, &event), expected, "{pattern}");
        }
    }

    #[test]
    fn operators_compare_text_numbers_and_presence() {
        let event = json!({ "name": "Alice", "price": 300, "list": ["x", "y"] });
        for (pattern, expected) in [
            (json!({ "name": [{ "prefix": "Al" }] }), true),
            (json!({ "name": [{ "suffix": "ce" }] }), true),
            (json!({ "name": [{ "prefix": "al" }] }), false),
            (json!({ "name": [{ "equals-ignore-case": "aLiCe" }] }), true),
            (json!({ "name": [{ "exists": true }] }), true),
            (json!({ "other": [{ "exists": false }] }), true),
            (json!({ "a": { "b": [{ "exists": false }] } }), true),
            (json!({ "name": { "b": [{ "exists": false }] } }), false),
            (json!({ "name": [{ "anything-but": "Bob" }] }), true),
            (
                json!({ "name": [{ "anything-but": ["Bob", "Alice"] }] }),
                false,
            ),
            (
                json!({ "name": [{ "anything-but": { "prefix": "B" } }] }),
                true,
            ),
            (json!({ "other": [{ "anything-but": "Bob" }] }), false),
            (json!({ "list": [{ "anything-but": ["x"] }] }), false),
            (json!({ "price": [{ "numeric": ["=", 300.0] }] }), true),
            (
                json!({ "price": [{ "numeric": [">", 299, "<=", 300] }] }),
                true,
            ),
            (json!({ "price": [{ "numeric": [">", 300] }] }), false),
            (json!({ "name": [{ "numeric": [">", 1] }] }), false),
        ] {
            assert_eq!(matches(&pattern, &event), expected, "{pattern}");
        }
    }

    #[test]
    fn what_lambda_refuses_is_an_error() {
        let message = |pattern: &str| EventPattern::parse(pattern).unwrap_err().to_string();
        assert_eq!(message("[]"), "it is not a JSON object");
        assert_eq!(message("{"), "it is not a JSON object");
        assert_eq!(
            message(r#"{"a":{"b":"c"}}"#),
            "`b` must be a list of values or an object"
        );
        assert_eq!(message(r#"{"a":[]}"#), "the list of `a` is empty");
        for alternative in [
            r#"{"wildcard":"*"}"#,
            r#"{"numeric":[">"]}"#,
            r#"{"numeric":["!",1]}"#,
            r#"{"numeric":[">",1,">",2]}"#,
            r#"{"prefix":1}"#,
            r#"{"exists":"yes"}"#,
            r#"{"anything-but":[]}"#,
            r#"{"anything-but":{"exists":true}}"#,
            r#"{"prefix":"a","suffix":"b"}"#,
            "[1]",
        ] {
            let expected =
                format!("`a` has an operator that event filters do not know: {alternative}");
            assert_eq!(message(&format!(r#"{{"a":[{alternative}]}}"#)), expected);
        }
    }
}
