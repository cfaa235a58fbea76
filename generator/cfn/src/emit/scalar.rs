//! Scalars that YAML 1.1 and YAML 1.2 readers read alike: when in doubt, quoted.

use std::fmt::Write as _;

/// Where a scalar stands: within brackets, more characters mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarContext {
    Block,
    Flow,
}

/// A string on one line, quoted if it needs to be.
pub(super) fn string(text: &str, context: ScalarContext) -> String {
    let is_bare = || !text.chars().any(needs_escape) && is_plain(text, context);
    match is_name(text, context) || is_bare() {
        true => text.to_owned(),
        false => single_quoted(text),
    }
}

/// A string in single quotes, or in double ones when a character needs an escape.
pub(super) fn single_quoted(text: &str) -> String {
    match text.chars().any(needs_escape) {
        true => double_quoted(text),
        false => format!("'{}'", text.replace('\'', "''")),
    }
}

/// A number with a fraction, so that YAML 1.1 takes it for one: `1.0e+20`, where Rust writes `1e20`.
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

/// True for text of several lines that a literal block (`|`) holds as it is in every reader. Tabs and blank-only
/// lines are legal there, but readers differ in what they do at their edges.
pub(super) fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && body.split('\n').all(|line| {
            !line.chars().any(needs_escape) && (line.is_empty() || !line.trim().is_empty())
        })
}

/// True for characters that only a double-quoted scalar holds: control characters, what YAML 1.1 takes for a line
/// break, and what no reader has to accept.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
        )
}

/// A string in double quotes.
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

/// True for what most strings of a template are, seen at a glance: names, types, paths, that need no quotes.
fn is_name(text: &str, context: ScalarContext) -> bool {
    let bytes = text.as_bytes();
    let of_name = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || b"_-./".contains(byte)
            || (*byte == b':' && context == ScalarContext::Block)
    };
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.last() != Some(&b':')
        && bytes.iter().all(of_name)
        && !is_word(text)
}

/// True for text that means itself without quotes. Conservative: text may be quoted that needs it only elsewhere.
fn is_plain(text: &str, context: ScalarContext) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let begins_plainly = first.is_alphanumeric() || matches!(first, '/' | '$' | '_' | '(');
    begins_plainly
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(['{', '}', '[', ']'])
        && !is_word(text)
        && !(first.is_ascii_digit() && text.bytes().all(is_of_number_or_date))
        && (context == ScalarContext::Block
            || text
                .chars()
                .all(|c| c.is_alphanumeric() || "_-./$".contains(c)))
}

/// Words that some reader takes for a boolean, null or a number.
fn is_word(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf",
    ];
    text.len() <= 5 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Bytes of numbers in any notation, and of dates and times.
fn is_of_number_or_date(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || b"xXoOtTzZ_:.+- ".contains(&byte)
}
