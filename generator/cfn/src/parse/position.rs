//! Converts offsets of the parsers to spans.

use crate::{FileId, Span};

/// Number of bytes in a block of the table.
const BLOCK: usize = 64;

/// Lookup of lines, columns and byte offsets in a text. Building it and all lookups together take time linear in the
/// length of the text, however long its lines are.
pub(super) struct Positions<'a> {
    text: &'a str,
    file: FileId,
    /// Bytes before `text` in the file: the length of a byte order mark, or zero.
    base: usize,
    /// Byte offset of the start of each line.
    lines: Vec<usize>,
    /// Number of characters that begin before each block. Empty for ASCII, where every byte is a character.
    chars: Vec<usize>,
}

impl<'a> Positions<'a> {
    pub(super) fn new(text: &'a str, file: FileId, base: usize) -> Self {
        let newlines = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1));
        let mut chars = Vec::new();
        if !text.is_ascii() {
            let mut seen = 0;
            for block in text.as_bytes().chunks(BLOCK) {
                chars.push(seen);
                seen += count(block);
            }
        }
        Positions {
            text,
            file,
            base,
            lines: lines.collect(),
            chars,
        }
    }

    /// Returns the span of the bytes `start..end`, extended to whole characters.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let start = self.text.floor_char_boundary(start);
        let end = self.text.ceil_char_boundary(end).max(start);
        let line = self.lines.partition_point(|&begin| begin <= start);
        let begin = self.lines[line - 1];
        Span {
            file: Some(self.file),
            start: offset(self.base + start),
            end: offset(self.base + end),
            line: offset(line),
            column: offset(self.chars_before(start) - self.chars_before(begin) + 1),
        }
    }

    /// Returns the byte offset of a character, or the length of the text past its end.
    pub(super) fn byte(&self, index: usize) -> usize {
        if self.chars.is_empty() {
            return index.min(self.text.len());
        }
        let block = self.chars.partition_point(|&before| before <= index) - 1;
        let mut left = index - self.chars[block];
        for (at, &byte) in self.text.as_bytes().iter().enumerate().skip(block * BLOCK) {
            if begins_char(byte) {
                if left == 0 {
                    return at;
                }
                left -= 1;
            }
        }
        self.text.len()
    }

    fn chars_before(&self, byte: usize) -> usize {
        let block = byte / BLOCK;
        match self.chars.get(block) {
            Some(before) => before + count(&self.text.as_bytes()[block * BLOCK..byte]),
            // ASCII, or the end of a text whose last block is full.
            None if self.chars.is_empty() => byte,
            None => self.chars[block - 1] + count(&self.text.as_bytes()[(block - 1) * BLOCK..byte]),
        }
    }
}

fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| begins_char(byte)).count()
}

fn begins_char(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// Every offset fits, because texts have at most [`super::MAX_BYTES`].
fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Sources;

    proptest! {
        #[test]
        fn offsets_lines_and_columns_agree_with_counting(text in "[a\u{e9}\u{1F600}\n]{0,300}") {
            let mut sources = Sources::new();
            let positions = Positions::new(&text, sources.add("t", "").id(), 0);
            let (mut line, mut column) = (1, 1);
            for (index, (byte, c)) in text.char_indices().enumerate() {
                prop_assert_eq!(positions.byte(index), byte);
                let span = positions.span(byte, byte + c.len_utf8());
                prop_assert_eq!((span.line, span.column), (line, column));
                (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            let end = positions.span(text.len(), text.len() + 7);
            prop_assert_eq!((end.line, end.column, end.end as usize), (line, column, text.len()));
            prop_assert_eq!(positions.byte(text.chars().count() + 3), text.len());
        }
    }
}
