//! Scalars that YAML 1.1 and YAML 1.2 parsers read in the same way. In case of doubt, strings are quoted.

use std::fmt::Write as _;

/// Position of a scalar. Within brackets, more characters are special.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarContext {
    Block,
    Flow,
}

/// Returns a string on one line, with quotes if it needs them.
pub(super) fn string(text: &str, context: ScalarContext) -> String {
    let is_bare = || !text.chars().any(needs_escape) && is_plain(text, context);
    match is_name(text, context) || is_bare() {
        true => text.to_owned(),
        false => single_quoted(text),
    }
}

/// Returns a string in single quotes, or in double quotes if a character needs an escape.
pub(super) fn single_quoted(text: &str) -> String {
    match text.chars().any(needs_escape) {
        true => double_quoted(text),
        false => format!("'{}'", text.replace('\'', "''")),
    }
}

/// Returns a float in a form that YAML 1.1 reads as a number: `1.0e+20`, where Rust writes `1e20`.
pub(super) fn float(value: f64) -> String {
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let dot = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{mantissa}{dot}e{sign}{exponent}")
        }
        None => text,
    }
}

/// Returns true for text of several lines that a literal block (`|`) preserves in every parser. Tabs and lines of
/// blanks are legal there, but parsers differ at the edges.
pub(super) fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && body.split('\n').all(|line| {
            !line.chars().any(needs_escape) && (line.is_empty() || !line.trim().is_empty())
        })
}

/// Returns true for characters that need a double-quoted scalar: control characters, line breaks of YAML 1.1, and
/// characters that parsers can refuse.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
        )
}

/// Returns a string in double quotes.
pub(super) fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    out.push('"');
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = match (c, u32::from(c)) {
            ('"' | '\\', _) => write!(out, "\\{c}"),
            ('\n', _) => write!(out, "\\n"),
            ('\r', _) => write!(out, "\\r"),
            ('\t', _) => write!(out, "\\t"),
            (c, code @ ..=0xFF) if needs_escape(c) => write!(out, "\\x{code:02X}"),
            (c, code) if needs_escape(c) => write!(out, "\\u{code:04X}"),
            _ => write!(out, "{c}"),
        };
    }
    out.push('"');
    out
}

/// Returns true for the common strings of a template that need no quotes: names, types, paths. This is a shortcut
/// before [`is_plain`].
fn is_name(text: &str, context: ScalarContext) -> bool {
    let bytes = text.as_bytes();
    let is_name_byte = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || b"_-./".contains(byte)
            || (*byte == b':' && context == ScalarContext::Block)
    };
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.last() != Some(&b':')
        && bytes.iter().all(is_name_byte)
        && !is_word(text)
}

/// Returns true for text that every parser reads as the same string without quotes. It is conservative: it ignores that
/// some text needs quotes only in some positions.
fn is_plain(text: &str, context: ScalarContext) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let has_plain_start = first.is_alphanumeric() || matches!(first, '/' | '$' | '_' | '(');
    has_plain_start
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(['{', '}', '[', ']'])
        && !is_word(text)
        && !(first.is_ascii_digit() && text.bytes().all(is_number_or_date_byte))
        && (context == ScalarContext::Block
            || text
                .chars()
                .all(|c| c.is_alphanumeric() || "_-./$".contains(c)))
}

/// Returns true for words that some parser takes for a boolean, null or a number.
fn is_word(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf",
    ];
    text.len() <= 5 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns true for bytes of numbers in any notation, and of dates and times.
fn is_number_or_date_byte(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || b"xXoOtTzZ_:.+- ".contains(&byte)
}
