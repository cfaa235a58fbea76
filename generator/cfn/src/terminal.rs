//! Escapes untrusted text for output on a terminal.
//!
//! A template can contain control characters, which control a terminal or forge lines of output, and Unicode format
//! characters, which are invisible or change the direction of text (U+202E). Code that prints a value, a name or a
//! message from a template passes it through [`escape`] or [`escape_lines`] first.

use std::borrow::Cow;

/// Returns the text on one line. Control characters, line breaks and format characters are escaped as in Rust, `\n` and
/// `\u{202e}`. All other characters are unchanged, including backslashes.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_if(text, needs_escape)
}

/// Escapes text of several lines like [`escape`], but keeps line feeds and tabs.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_if(text, |c| !matches!(c, '\n' | '\t') && needs_escape(c))
}

/// Returns JSON with format and control characters escaped (`\u202e`): the same value, safe to print. Line feeds are
/// unchanged, because JSON strings contain them only escaped.
pub fn escape_json(text: &str) -> Cow<'_, str> {
    let unsafe_in_json = |c: char| c != '\n' && needs_escape(c);
    if !text.contains(unsafe_in_json) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if unsafe_in_json(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                escaped += &format!("\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Returns true for characters that are unsafe on a terminal: control characters (Cc), format characters (Cf), and line
/// and paragraph separators (Zl, Zp).
pub fn needs_escape(c: char) -> bool {
    c.is_control() || is_format(c)
}

fn escape_if(text: &str, unsafe_here: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unsafe_here) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match unsafe_here(c) {
            true => escaped.extend(c.escape_default()),
            false => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// Returns true for the Unicode 16 categories Cf, Zl and Zp.
fn is_format(c: char) -> bool {
    matches!(c,
        '\u{ad}'
        | '\u{600}'..='\u{605}'
        | '\u{61c}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{890}'..='\u{891}'
        | '\u{8e2}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{110bd}'
        | '\u{110cd}'
        | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0001}'
        | '\u{e0020}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_characters_that_control_a_terminal_are_escaped() {
        for (text, escaped) in [
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{1b}[31mred\u{9b}0m", r"\u{1b}[31mred\u{9b}0m"),
            ("\u{202e}evil\u{202c}", r"\u{202e}evil\u{202c}"),
            ("zero\u{200b}width\u{feff}", r"zero\u{200b}width\u{feff}"),
            (
                "line\u{2028}paragraph\u{2029}",
                r"line\u{2028}paragraph\u{2029}",
            ),
            ("hidden\u{e0041}", r"hidden\u{e0041}"),
            (r"C:\new 'Ä' 日本 🦀", r"C:\new 'Ä' 日本 🦀"),
        ] {
            assert_eq!(escape(text), escaped);
        }
        assert_eq!(escape_lines("a\n\tb\u{202e}"), "a\n\tb\\u{202e}");
    }

    #[test]
    fn escaped_json_is_the_same_value() {
        let value = serde_json::json!({ "a\u{202e}": ["b\n\u{e0041}\u{7f}", "ü"] });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let escaped = escape_json(&text);
        assert!(!escaped.contains(|c| c != '\n' && needs_escape(c)));
        assert!(escaped.contains('ü'));
        let read: serde_json::Value = serde_json::from_str(&escaped).unwrap();
        assert_eq!(read, value);
    }
}
