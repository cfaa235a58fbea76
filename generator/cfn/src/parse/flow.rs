//! Lines in brackets that are indented less than the mapping around the brackets.
//!
//! Indentation means nothing in brackets, and PyYAML, with which CloudFormation's tools read templates, accepts a closing
//! bracket below its key. Our parser does not. It gets such a line joined to the line above, with blanks instead of line
//! breaks and comments, so that every character stays at its offset.

/// Maximum number of characters that are parsed again, in all repetitions together.
const MAX_REPEATED: usize = 64 * 1024 * 1024;

/// Place of an error about indentation inside brackets, in characters.
pub(super) struct Misindented {
    /// Start of a token that the parser read before.
    pub(super) token: usize,
    /// Start of the token with the error.
    pub(super) error: usize,
}

/// A text whose misindented lines are joined.
pub(super) struct Unindented {
    chars: Vec<char>,
    /// Number of characters that may still be parsed.
    left: usize,
}

impl Unindented {
    pub(super) fn new(text: &str) -> Self {
        Unindented {
            chars: text.chars().collect(),
            left: MAX_REPEATED,
        }
    }

    pub(super) fn chars(&self) -> impl Iterator<Item = char> {
        self.chars.iter().copied()
    }

    /// Joins the line of a misindented token to the line above. Returns false if that is impossible or takes too long.
    pub(super) fn join(&mut self, place: &Misindented) -> bool {
        let Some(left) = self.left.checked_sub(self.chars.len()) else {
            return false;
        };
        self.left = left;
        let Some(between) = self.chars.get(place.token..place.error) else {
            return false;
        };
        let end = place.token + content_length(between);
        let gap = &mut self.chars[end..place.error];
        if !gap.contains(&'\n') {
            return false;
        }
        gap.fill(' ');
        true
    }
}

/// Returns the length of a text without the blanks, line breaks and comments at its end.
fn content_length(text: &[char]) -> usize {
    let (mut end, mut at) = (0, 0);
    let mut quote = None;
    while let Some(&c) = text.get(at) {
        let starts_word = at == 0 || text[at - 1].is_whitespace();
        let starts_value = starts_word || "[{,:".contains(text[at - 1]);
        match (quote, c) {
            (None, '#') if starts_word => {
                let length = text[at..].iter().position(|&c| c == '\n');
                at += length.unwrap_or(text.len() - at);
                continue;
            }
            (None, '"' | '\'') if starts_value => quote = Some(c),
            (Some('"'), '\\') => at += 1,
            (Some('\''), '\'') if text.get(at + 1) == Some(&'\'') => at += 1,
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        at += 1;
        if quote.is_some() || !c.is_whitespace() {
            end = at.min(text.len());
        }
    }
    end
}
