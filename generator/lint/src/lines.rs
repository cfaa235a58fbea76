//! Lines, blanks and comments of a text, found from byte offsets that lie outside of scalars.

/// Where the line begins that holds an offset.
pub(crate) fn start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Where the line ends that holds an offset, before its break.
pub(crate) fn end(text: &str, at: usize) -> usize {
    let end = text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline);
    match text[at..end].ends_with('\r') {
        true => end - 1,
        false => end,
    }
}

/// Where the next line begins; the text's end after the last.
pub(crate) fn next(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline + 1)
}

/// What stands before an offset on its line.
pub(crate) fn before(text: &str, at: usize) -> &str {
    &text[start(text, at)..at]
}

/// What stands behind an offset on its line.
pub(crate) fn behind(text: &str, at: usize) -> &str {
    &text[at..end(text, at)]
}

/// True for blanks alone.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// True for blanks alone, and for blanks with a comment behind them.
pub(crate) fn is_blank_or_comment(text: &str) -> bool {
    let rest = text.trim_start_matches([' ', '\t']);
    is_blank(rest) || (rest.starts_with('#') && rest.len() < text.len())
}

/// The blanks that indent as far as the offset stands on its line.
pub(crate) fn indent(text: &str, at: usize) -> String {
    let before = before(text, at);
    match is_blank(before) {
        true => before.to_owned(),
        false => " ".repeat(before.chars().count()),
    }
}

/// Where the next character stands that is neither blank nor in a comment.
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

/// Where a node's content begins: behind its tag and its anchor.
pub(crate) fn content(text: &str, start: usize) -> usize {
    let mut at = start;
    while text[at..].starts_with(['!', '&']) {
        let length = text[at..].find([' ', '\t', '\r', '\n', ',', ']', '}']);
        at = token(text, length.map_or(text.len(), |length| at + length));
    }
    at
}
