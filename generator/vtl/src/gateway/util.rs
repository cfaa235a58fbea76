//! `$util`: escapes, encodings and JSON.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::RenderProblem;
use crate::value::{Computed, Heap, ListKind, VtlValue, parse_json, to_text};

/// Characters that Java's `URLEncoder` encodes; it writes a blank as `+`.
const URL_ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'*')
    .remove(b'_')
    .remove(b' ');

pub(super) fn call(
    heap: &mut Heap,
    method: &str,
    arguments: &[VtlValue],
) -> Computed<Option<VtlValue>> {
    let [argument] = arguments else {
        return Ok(None);
    };
    if argument.is_null() {
        return Ok(Some(VtlValue::Null));
    }
    let text = match argument {
        VtlValue::Text(text) => text.to_string(),
        value => to_text(heap, value)?,
    };
    // The results have up to six characters for one of the text.
    heap.charge_length(text.len().saturating_mul(6))?;
    let result = match method {
        "escapeJavaScript" => escape_java_script(&text),
        "urlEncode" => utf8_percent_encode(&text, URL_ENCODED)
            .to_string()
            .replace(' ', "+"),
        "urlDecode" => {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        }
        "base64Encode" => STANDARD.encode(text),
        "base64Decode" => String::from_utf8_lossy(&decode_base64(&text)?).into_owned(),
        "parseJson" => {
            return parse_json(heap, &text, ListKind::Json, "the text of $util.parseJson")
                .map(Some);
        }
        _ => return Ok(None),
    };
    heap.string(result).map(Some)
}

fn decode_base64(text: &str) -> Computed<Vec<u8>> {
    STANDARD
        .decode(text)
        .map_err(|error| RenderProblem::Method {
            method: "base64Decode".to_owned(),
            class: "$util",
            reason: error.to_string(),
        })
}

/// Escapes a text as `StringEscapeUtils.escapeJavaScript` of Apache Commons Lang 2.6 does: quotes, slashes, control characters,
/// and everything that is not ASCII.
fn escape_java_script(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for unit in text.encode_utf16() {
        let c = char::from_u32(unit.into()).filter(char::is_ascii);
        match c {
            Some('\u{8}') => escaped.push_str("\\b"),
            Some('\n') => escaped.push_str("\\n"),
            Some('\t') => escaped.push_str("\\t"),
            Some('\u{c}') => escaped.push_str("\\f"),
            Some('\r') => escaped.push_str("\\r"),
            Some(c @ ('\'' | '"' | '\\' | '/')) => escaped.extend(['\\', c]),
            Some(c @ ' '..='\u{7f}') => escaped.push(c),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04X}");
            }
        }
    }
    escaped
}
