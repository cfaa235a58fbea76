//! Selection expressions, which select routes and models (row M1).

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use stackgen_vtl::select_text;

/// Evaluates an expression for a body. The result is empty if the path is missing or the body is not JSON.
pub(crate) fn select(expression: &str, body: &str) -> String {
    if let Some(path) = expression.strip_prefix("$request.body")
        && path.starts_with(['.', '['])
    {
        return value_at(body, path).unwrap_or_default();
    }
    expand(expression, |variable| {
        let path = variable.strip_prefix("request.body")?;
        path.starts_with(['.', '[']).then(|| value_at(body, path))?
    })
}

/// Returns the value at a path of JSON that begins with `.` or `[`, as text.
pub(crate) fn value_at(body: &str, path: &str) -> Option<String> {
    let names = path.strip_prefix('.');
    let is_name = |name: &str| !name.is_empty() && name.chars().all(is_plain);
    let names = names.filter(|names| names.split('.').all(is_name));
    match names.map(|names| text_at(body, names)) {
        Some(PathValue::Text(text)) => Some(text),
        Some(PathValue::Missing) => None,
        // Any other path is a JSONPath, and a value that is no scalar becomes JSON.
        Some(PathValue::Structure) | None => select_text(body, &format!("${path}")).ok().flatten(),
    }
}

/// Decides whether a character may stand in a path of plain names, the usual one, which needs no JSONPath.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

/// Replaces the variables `${…}` of an expression. One without a value becomes empty.
pub(crate) fn expand(expression: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((variable, after)) = after.split_once('}') else {
            break;
        };
        expanded.push_str(before);
        expanded.push_str(&value(variable).unwrap_or_default());
        rest = after;
    }
    expanded.push_str(rest);
    // Templates write static text as `\$default`, to mark it as not a variable.
    expanded.replace("\\$", "$")
}

/// Value at a path.
#[derive(Debug, PartialEq, Eq)]
enum PathValue {
    /// String, number or boolean.
    Text(String),
    /// Object or array.
    Structure,
    /// Nothing, or `null`.
    Missing,
}

/// Returns the value at a dotted path. Reads the body once and stores nothing else of it.
fn text_at(body: &str, path: &str) -> PathValue {
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let found = PathVisitor(Some(path)).deserialize(&mut deserializer);
    match (found, deserializer.end()) {
        (Ok(found), Ok(())) => found,
        _ => PathValue::Missing,
    }
}

/// Remaining path; `None` at its end.
struct PathVisitor<'p>(Option<&'p str>);

impl<'de> DeserializeSeed<'de> for PathVisitor<'_> {
    type Value = PathValue;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl PathVisitor<'_> {
    fn leaf(&self, text: impl FnOnce() -> String) -> PathValue {
        match self.0 {
            None => PathValue::Text(text()),
            Some(_) => PathValue::Missing,
        }
    }

    /// Returns the result for an object or array, if no member of it is selected.
    fn structure(&self) -> PathValue {
        match self.0 {
            None => PathValue::Structure,
            Some(_) => PathValue::Missing,
        }
    }
}

impl<'de> Visitor<'de> for PathVisitor<'_> {
    type Value = PathValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.leaf(|| text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.leaf(|| value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(self.leaf(|| value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(self.leaf(|| value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(self.leaf(|| serde_json::Value::from(value).to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(PathValue::Missing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.structure())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (key, rest) = match self
            .0
            .map(|path| path.split_once('.').unwrap_or((path, "")))
        {
            Some((key, "")) => (Some(key), None),
            Some((key, rest)) => (Some(key), Some(rest)),
            None => (None, None),
        };
        let mut found = self.structure();
        while let Some(is_it) = members.next_key_seed(KeyMatcher(key))? {
            if is_it {
                found = members.next_value_seed(PathVisitor(rest))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares the name of a member with a key.
struct KeyMatcher<'p>(Option<&'p str>);

impl<'de> DeserializeSeed<'de> for KeyMatcher<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<bool, D::Error> {
        key.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyMatcher<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0 == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn row_m1_paths_and_static_text_are_evaluated() {
        let body = r#"{"action":"send","a":{"b":"x","n":7},"f":1.0,"t":true,"z":null,"l":[1],"action":"last"}"#;
        for (expression, expected) in [
            ("$request.body.action", "last"),
            ("$request.body.a.b", "x"),
            ("${request.body.a.b}/${request.body.action}", "x/last"),
            ("${request.body.a.n}", "7"),
            ("$request.body.f", "1.0"),
            ("$request.body.t", "true"),
            ("$request.body.z", ""),
            ("$request.body.l", "[1]"),
            ("$request.body.a", r#"{"b":"x","n":7}"#),
            ("$request.body['a']['b']", "x"),
            ("$request.body.l[0]", "1"),
            ("v${request.body.l[-1]}", "v1"),
            ("$request.body.l[*]", "[1]"),
            ("$request.body..b", r#"["x"]"#),
            ("$request.body.l[", ""),
            ("$request.bodyguard", "$request.bodyguard"),
            ("${request.body}", ""),
            ("$request.body.none", ""),
            ("$request.body.action.deeper", ""),
            ("v-${request.body.none}-", "v--"),
            ("${context.connectionId}", ""),
            ("static", "static"),
            ("\\$default", "$default"),
            ("$default", "$default"),
            ("${request.body.a", "${request.body.a"),
        ] {
            assert_eq!(select(expression, body), expected, "{expression}");
        }
    }

    #[test]
    fn row_m2_a_path_is_empty_if_the_body_is_not_a_json_object() {
        for body in [
            "",
            "hello",
            "[1]",
            "\"action\"",
            "{\"action\":\"x\"",
            "{\"action\":\"x\"} y",
            "7",
        ] {
            assert_eq!(select("$request.body.action", body), "", "{body}");
        }
    }

    proptest! {
        #[test]
        fn row_m1_selection_never_panics(expression in ".*", body in ".*") {
            select(&expression, &body);
        }

        #[test]
        fn row_m1_a_value_in_the_message_is_selected_unchanged(action in ".*", other in ".*") {
            let body = serde_json::json!({"other": other, "action": action}).to_string();
            prop_assert_eq!(select("$request.body.action", &body), action);
        }
    }
}
