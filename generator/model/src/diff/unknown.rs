//! Unknown values of canonical content, as people read them.

use serde_json::{Map, Value as Json};

use crate::parts::UNKNOWN_START;

/// Returns a value in which unknown parts are written as in templates: `${TableName}`, `${ImportValue tables}`.
pub(super) fn readable(value: Json) -> Json {
    match value {
        Json::String(text) => readable_text(&text).into(),
        Json::Array(items) => items.into_iter().map(readable).collect(),
        Json::Object(entries) if is_unknown(&entries) => unknown(&entries).into(),
        Json::Object(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (readable_text(&key), readable(value)));
            Json::Object(entries.collect())
        }
        other => other,
    }
}

/// Returns a text with readable unknown parts.
pub(super) fn readable_text(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(UNKNOWN_START) {
        out.push_str(before);
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<Json>();
        let value = values.next().and_then(Result::ok);
        let end = values.byte_offset();
        match value.zip(after.get(end..).and_then(|rest| rest.strip_prefix('}'))) {
            Some((Json::Object(entries), after)) => {
                out.push_str(&unknown(&entries));
                rest = after;
            }
            _ => {
                out.push_str("${");
                rest = after;
            }
        }
    }
    out + rest
}

/// Returns true for the canonical form of an unknown value.
pub(super) fn is_unknown(entries: &Map<String, Json>) -> bool {
    let is_text = |key: &str| entries.get(key).is_some_and(Json::is_string);
    (entries.len() == 1 && is_text("Unknown")) || (entries.len() <= 3 && is_text("If"))
}

fn unknown(entries: &Map<String, Json>) -> String {
    if let Some(expression) = entries.get("Unknown").and_then(Json::as_str) {
        return format!("${{{}}}", inside(expression));
    }
    let branch = |key: &str| match entries.get(key) {
        None | Some(Json::Null) => "nothing".to_owned(),
        Some(value) => plain(&readable(value.clone())),
    };
    let when = entries.get("If").and_then(Json::as_str).unwrap_or_default();
    match entries.get("Yes") {
        Some(_) => format!(
            "${{If {}, {}, {}}}",
            inside(when),
            branch("Yes"),
            branch("No")
        ),
        // A long one is a digest.
        None => format!("${{If {}}}", inside(when)),
    }
}

/// Returns an expression in canonical JSON as its name and arguments: `Ref` as the name alone.
fn inside(expression: &str) -> String {
    let call = serde_json::from_str::<Json>(expression).ok();
    let call = call.as_ref().and_then(Json::as_object);
    let only = call
        .filter(|call| call.len() == 1)
        .and_then(|call| call.iter().next());
    let Some((name, argument)) = only else {
        return expression.to_owned();
    };
    match (name.as_str(), argument) {
        ("Ref", Json::String(name)) => name.clone(),
        ("Fn::GetAtt", Json::Array(parts)) => parts.iter().map(plain).collect::<Vec<_>>().join("."),
        (name, argument) => {
            let name = name.strip_prefix("Fn::").unwrap_or(name);
            format!("{name} {}", plain(argument))
        }
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_values_are_written_as_in_templates() {
        let reference = json!({ "Unknown": r#"{"Ref":"Table"}"# });
        let import = json!({ "Unknown": r#"{"Fn::ImportValue":"tables"}"# });
        for (value, expected) in [
            (reference.clone(), json!("${Table}")),
            (
                json!({ "Unknown": r#"{"Fn::GetAtt":["Nested","Outputs.Arn"]}"# }),
                json!("${Nested.Outputs.Arn}"),
            ),
            (import.clone(), json!("${ImportValue tables}")),
            (json!([import]), json!(["${ImportValue tables}"])),
            (
                json!({ "Table": reference.clone() }),
                json!({ "Table": "${Table}" }),
            ),
            (
                json!(format!("arn:${{?{reference}}}/x")),
                json!("arn:${Table}/x"),
            ),
            (
                json!(format!("${{?{reference}}}-${{?{reference}")),
                json!("${Table}-${{\"Unknown\":\"{\\\"Ref\\\":\\\"Table\\\"}\"}"),
            ),
            (
                json!({ "If": r#"{"Ref":"Big"}"#, "Yes": 2, "No": null }),
                json!("${If Big, 2, nothing}"),
            ),
            (json!({ "If": "3f2a" }), json!("${If 3f2a}")),
            (json!({ "Unknown": 1 }), json!({ "Unknown": 1 })),
            (json!("plain ${AWS::Region}"), json!("plain ${AWS::Region}")),
        ] {
            assert_eq!(readable(value), expected);
        }
    }
}
