//! Comparison of a recorded frame with one that arrives.

use std::collections::BTreeMap;

use serde_json::Value;

use super::placeholder::{Placeholder, PlaceholderKind, TextSegment, segments, whole};

/// Values of numbered placeholders, as far as they are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bindings(BTreeMap<Placeholder, Value>);

impl Bindings {
    /// Returns the value of a placeholder.
    pub(crate) fn get(&self, placeholder: Placeholder) -> Option<&Value> {
        self.0.get(&placeholder)
    }

    /// Sets the value of a placeholder.
    pub(crate) fn set(&mut self, placeholder: Placeholder, value: Value) {
        self.0.insert(placeholder, value);
    }

    /// Returns all placeholders with their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Placeholder, &Value)> {
        self.0
            .iter()
            .map(|(placeholder, value)| (*placeholder, value))
    }

    /// Returns true if a frame matches, and binds the placeholders that occur for the first time.
    pub(crate) fn matches(&mut self, pattern: &Value, frame: &Value) -> bool {
        let mut found = self.clone();
        let is_match = found.matches_value(pattern, frame);
        if is_match {
            *self = found;
        }
        is_match
    }

    /// Binds the placeholders of the parts that match, although the whole frame does not.
    pub(crate) fn bind_parts(&mut self, pattern: &Value, frame: &Value) {
        match (pattern, frame) {
            (Value::Object(pattern), Value::Object(frame)) => {
                for (key, pattern) in pattern {
                    if let Some(frame) = frame.get(key) {
                        self.bind_parts(pattern, frame);
                    }
                }
            }
            (Value::Array(pattern), Value::Array(frame)) => {
                for (pattern, frame) in pattern.iter().zip(frame) {
                    self.bind_parts(pattern, frame);
                }
            }
            (pattern, frame) => {
                self.matches(pattern, frame);
            }
        }
    }

    fn matches_value(&mut self, pattern: &Value, frame: &Value) -> bool {
        match (pattern, frame) {
            (Value::String(pattern), frame) => match (whole(pattern), frame) {
                (Some(placeholder), frame) => self.binds(placeholder, frame),
                (None, Value::String(text)) => self.matches_text(&segments(pattern), text),
                (None, _) => false,
            },
            (Value::Array(patterns), Value::Array(values)) => {
                patterns.len() == values.len()
                    && patterns
                        .iter()
                        .zip(values)
                        .all(|(pattern, value)| self.matches_value(pattern, value))
            }
            (Value::Object(patterns), Value::Object(values)) => {
                patterns.len() == values.len()
                    && patterns.iter().all(|(key, pattern)| {
                        values
                            .get(key)
                            .is_some_and(|value| self.matches_value(pattern, value))
                    })
            }
            // serde_json distinguishes 1 from 1.0; JSON does not.
            (Value::Number(pattern), Value::Number(value)) => {
                pattern == value || pattern.as_f64() == value.as_f64()
            }
            (pattern, value) => pattern == value,
        }
    }

    fn matches_text(&mut self, pattern: &[TextSegment<'_>], text: &str) -> bool {
        match pattern {
            [] => text.is_empty(),
            [TextSegment::Literal(literal), rest @ ..] => text
                .strip_prefix(literal)
                .is_some_and(|text| self.matches_text(rest, text)),
            [TextSegment::Placeholder(placeholder), rest @ ..] => {
                // Only where the next part can begin, because a text may be long.
                let may_end = |end: &usize| match rest {
                    [] => *end == text.len(),
                    [TextSegment::Literal(literal), ..] => text[*end..].starts_with(literal),
                    [TextSegment::Placeholder(next), ..] => {
                        next.kind != PlaceholderKind::LessThan || text[*end..].starts_with('<')
                    }
                };
                let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
                // Longest first: an ID ends where its characters end.
                let ends: Vec<usize> = ends.filter(may_end).collect();
                ends.into_iter().rev().any(|end| {
                    let mut found = self.clone();
                    let fits = found.binds_text(*placeholder, &text[..end])
                        && found.matches_text(rest, &text[end..]);
                    if fits {
                        *self = found;
                    }
                    fits
                })
            }
        }
    }

    /// Returns true if a placeholder stands for a text, which is copied only if its value becomes known.
    fn binds_text(&mut self, placeholder: Placeholder, text: &str) -> bool {
        match (placeholder.number, self.0.get(&placeholder)) {
            (Some(_), Some(known)) => known.as_str() == Some(text),
            (None, _) => placeholder.kind.accepts_text(text),
            (Some(_), None) => {
                placeholder.kind.accepts_text(text) && self.binds(placeholder, &text.into())
            }
        }
    }

    /// Returns true if a placeholder stands for a value. Two IDs with different numbers are different.
    fn binds(&mut self, placeholder: Placeholder, value: &Value) -> bool {
        if placeholder.number.is_none() {
            return placeholder.accepts(value);
        }
        if let Some(known) = self.0.get(&placeholder) {
            // A secret may be a number.
            let is_number =
                || value.is_number() && known.as_str() == Some(value.to_string().as_str());
            return known == value || is_number();
        }
        let is_id = placeholder.kind == PlaceholderKind::Id;
        let mut others = self
            .0
            .iter()
            .filter(|(other, _)| other.kind == placeholder.kind);
        let is_taken = is_id && others.any(|(_, other)| other == value);
        if is_taken || !placeholder.accepts(value) {
            return false;
        }
        self.0.insert(placeholder, value.clone());
        true
    }
}

/// Returns a frame as a value: JSON if it is an object or an array, else its text.
pub(crate) fn frame_value(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_placeholder_stands_for_the_same_value() {
        let mut known = Bindings::default();
        assert!(known.matches(&json!({"id": "<id-1>"}), &json!({"id": "a"})));
        assert!(known.matches(&json!("for <id-1>: <number>"), &json!("for a: 7")));
        assert!(!known.matches(&json!({"id": "<id-1>"}), &json!({"id": "b"})));
        // Another number is another ID.
        assert!(!known.matches(&json!({"id": "<id-2>"}), &json!({"id": "a"})));
        assert!(known.matches(&json!({"id": "<id-2>"}), &json!({"id": "b"})));
    }

    #[test]
    fn a_frame_that_does_not_match_binds_nothing() {
        let mut known = Bindings::default();
        assert!(!known.matches(&json!(["<id-1>", 1]), &json!(["a", 2])));
        assert!(known.matches(&json!("<id-1>"), &json!("b")));
        let mut known = Bindings::default();
        known.bind_parts(
            &json!({"id": "<id-1>", "n": 1}),
            &json!({"id": "a", "n": 2}),
        );
        assert!(known.matches(&json!("<id-1>"), &json!("a")));
    }

    #[test]
    fn frames_match_as_a_whole() {
        let matches = |pattern, frame| Bindings::default().matches(&pattern, &frame);
        assert!(matches(json!({"a": 1, "b": 2}), json!({"b": 2.0, "a": 1})));
        assert!(!matches(json!({"a": 1}), json!({"a": 1, "b": 2})));
        assert!(!matches(json!({"a": 1, "b": 2}), json!({"a": 1})));
        assert!(!matches(json!([1, 2]), json!([2, 1])));
        assert!(!matches(json!("a"), json!(["a"])));
        assert!(matches(
            json!("at <time>, <string>!"),
            json!("at 2026-11-30T10:00:00Z, all!")
        ));
        assert!(matches(json!("<lt>id-1>"), json!("<id-1>")));
    }

    #[test]
    fn a_long_text_is_compared_quickly() {
        // A copy of the text for each of its characters would take minutes.
        let text = json!("a".repeat(2_000_000));
        for pattern in ["a<string>!", "a<number>", "a<any><lt>", "<string>ab"] {
            let is_match = Bindings::default().matches(&json!(pattern), &text);
            assert!(!is_match, "{pattern}");
        }
        let lines = json!("a\n".repeat(50_000));
        assert!(!Bindings::default().matches(&json!("<string>\n!"), &lines));
        assert!(!Bindings::default().matches(&json!("<number>\na<string>\n"), &lines));
    }

    #[test]
    fn a_secret_matches_a_number() {
        let mut known = Bindings::default();
        let secret = Placeholder::numbered(PlaceholderKind::Secret, 1);
        known.set(secret, json!("123456"));
        assert!(known.matches(&json!({"n": "<secret-1>"}), &json!({"n": 123456})));
        assert!(!known.matches(&json!({"n": "<secret-1>"}), &json!({"n": 123457})));
    }

    #[test]
    fn only_objects_and_arrays_are_json() {
        assert_eq!(frame_value("[1]"), json!([1]));
        assert_eq!(frame_value("1"), json!("1"));
        assert_eq!(frame_value("{"), json!("{"));
    }
}
