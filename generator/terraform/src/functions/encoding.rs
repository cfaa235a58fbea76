//! Encodings: JSON, YAML, Base64, URLs, CSV.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;

use super::arguments::{at, text};
use super::{FunctionContext, FunctionResult};
use crate::error::ExpressionError;
use crate::value::HclValue;

/// Characters that `urlencode` encodes: all but those that Go leaves in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b' ');

/// Calls a function of this family; `None` for another name.
pub(super) fn call(
    _context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Option<FunctionResult> {
    Some(match name {
        "jsonencode" => at(arguments, 0).map(|value| Some(HclValue::Text(json_text(value)))),
        "jsondecode" => text(arguments, 0).and_then(|text| {
            let json: Json = serde_json::from_str(&text)
                .map_err(|error| ExpressionError::new(format!("this is not JSON: {error}")))?;
            Ok(Some(from_json(&json)))
        }),
        "yamldecode" => text(arguments, 0).and_then(|text| {
            let json: Json = serde_yaml::from_str(&text)
                .map_err(|error| ExpressionError::new(format!("this is not YAML: {error}")))?;
            Ok(Some(from_json(&json)))
        }),
        "base64encode" => {
            text(arguments, 0).map(|text| Some(HclValue::Text(STANDARD.encode(text))))
        }
        "base64decode" => text(arguments, 0).and_then(|text| {
            let bytes = STANDARD.decode(text.trim());
            let decoded = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let decoded = decoded
                .ok_or_else(|| ExpressionError::new("this is not Base64 of a UTF-8 text"))?;
            Ok(Some(HclValue::Text(decoded)))
        }),
        "urlencode" => text(arguments, 0).map(|text| {
            let encoded = utf8_percent_encode(&text, QUERY).to_string();
            Some(HclValue::Text(encoded.replace(' ', "+")))
        }),
        "csvdecode" => text(arguments, 0).and_then(|text| csv(&text)),
        _ => return None,
    })
}

/// Returns the value of JSON.
pub(crate) fn from_json(json: &Json) -> HclValue {
    match json {
        Json::Null => HclValue::Null,
        Json::Bool(value) => HclValue::Bool(*value),
        Json::Number(number) => HclValue::Number(number.as_f64().unwrap_or_default()),
        Json::String(text) => HclValue::text(text),
        Json::Array(items) => HclValue::List(items.iter().map(from_json).collect()),
        Json::Object(entries) => HclValue::map(
            entries
                .iter()
                .map(|(key, value)| (key.as_str(), from_json(value))),
        ),
    }
}

/// Returns a value as JSON, as `jsonencode` writes it.
pub(crate) fn json_text(value: &HclValue) -> String {
    let mut text = String::new();
    write_json(value, &mut text);
    text
}

fn write_json(value: &HclValue, out: &mut String) {
    match value {
        HclValue::Null => out.push_str("null"),
        HclValue::Bool(_) | HclValue::Number(_) => {
            out.push_str(&value.to_text().unwrap_or_default())
        }
        HclValue::Text(text) => write_string(text, out),
        HclValue::Unknown(token) => write_string(&token.to_string(), out),
        HclValue::List(items) | HclValue::Set(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        HclValue::Map(map) => {
            out.push('{');
            for (index, (key, value)) in map.entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_json(value, out);
            }
            out.push('}');
        }
    }
}

/// Writes a text as Go does, which also escapes the characters of HTML.
fn write_string(text: &str, out: &mut String) {
    let quoted = Json::String(text.to_owned()).to_string();
    for letter in quoted.chars() {
        match letter {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            '\u{7f}' => out.push('\u{7f}'),
            other => out.push(other),
        }
    }
}

fn csv(text: &str) -> FunctionResult {
    let mut lines = text.lines().filter(|line| !line.is_empty()).map(fields);
    let header = lines.next().unwrap_or_default();
    let rows = lines.map(|line| {
        let entries = header
            .iter()
            .zip(line)
            .map(|(name, field)| (name.clone(), HclValue::Text(field)));
        HclValue::map(entries)
    });
    Ok(Some(HclValue::List(rows.collect())))
}

/// Returns the fields of a line of CSV, whose quoted fields contain no line breaks.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let field = fields.last_mut();
        match (letter, field) {
            ('"', Some(field)) if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => fields.push(String::new()),
            (other, Some(field)) => field.push(other),
            (_, None) => {}
        }
    }
    fields
}
