//! Lines, blanks and comments of a text. Offsets are in bytes and outside of scalars.

/// Returns the start of an offset's line.
pub(crate) fn start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Returns the end of an offset's line, before the line break.
pub(crate) fn end(text: &str, at: usize) -> usize {
    let end = text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline);
    match text[at..end].ends_with('\r') {
        true => end - 1,
        false => end,
    }
}

/// Returns the start of the next line, or the end of the text.
pub(crate) fn next(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline + 1)
}

/// Returns the text before an offset on its line.
pub(crate) fn before(text: &str, at: usize) -> &str {
    &text[start(text, at)..at]
}

/// Returns the text after an offset on its line.
pub(crate) fn behind(text: &str, at: usize) -> &str {
    &text[at..end(text, at)]
}

/// Returns true for text of only blanks.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// Returns true for text of only blanks and a comment after them.
pub(crate) fn is_blank_or_comment(text: &str) -> bool {
    let rest = text.trim_start_matches([' ', '\t']);
    is_blank(rest) || (rest.starts_with('#') && rest.len() < text.len())
}

/// Returns one space for each character between the start of the line and an offset.
pub(crate) fn indent(text: &str, at: usize) -> String {
    let before = before(text, at);
    match is_blank(before) {
        true => before.to_owned(),
        false => " ".repeat(before.chars().count()),
    }
}

/// Returns the offset of the next character that is neither blank nor in a comment.
pub(crate) fn token(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        let begins_comment =
            *byte == b'#' && (at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r'));
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            _ if begins_comment => at = end(text, at),
            _ => break,
        }
    }
    at
}

/// Returns the start of a node's content, after its tag and anchor.
pub(crate) fn content(text: &str, start: usize) -> usize {
    let mut at = start;
    while text[at..].starts_with(['!', '&']) {
        let length = text[at..].find([' ', '\t', '\r', '\n', ',', ']', '}']);
        at = token(text, length.map_or(text.len(), |length| at + length));
    }
    at
}
