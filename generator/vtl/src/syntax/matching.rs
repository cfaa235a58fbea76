//! Matches single tokens at a position of the template.

use super::token::TokenKind;

/// Characters of a template, and what the lexer remembers about them.
pub(super) struct Characters {
    chars: Vec<char>,
    /// End of the backslashes that the lexer saw last: each run is measured once.
    backslashes_end: usize,
}

impl Characters {
    pub(super) fn new(text: &str) -> Self {
        Characters {
            chars: text.chars().collect(),
            backslashes_end: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.chars.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    pub(super) fn text(&self, from: usize, to: usize) -> String {
        self.chars[from..to].iter().collect()
    }

    fn starts_with(&self, at: usize, text: &str) -> bool {
        let mut at = at;
        text.chars().all(|c| {
            at += 1;
            self.get(at - 1) == Some(c)
        })
    }

    fn skip(&self, from: usize, accept: impl Fn(char) -> bool) -> usize {
        let rest = self.chars.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|c| accept(**c)).count()
    }

    fn skip_backslashes(&mut self, from: usize) -> usize {
        if self.get(from) != Some('\\') {
            return from;
        }
        if self.backslashes_end <= from {
            self.backslashes_end = self.skip(from, |c| c == '\\');
        }
        self.backslashes_end
    }

    /// Returns the end of the longest token of a kind that starts at a position.
    pub(super) fn end_of(&mut self, kind: TokenKind, at: usize) -> Option<usize> {
        if let Some(words) = fixed_texts(kind) {
            let matching = words.iter().filter(|word| self.starts_with(at, word));
            return matching.map(|word| at + word.chars().count()).max();
        }
        match kind {
            TokenKind::ParenClose => self.end_with_line(at, ")"),
            TokenKind::End => self
                .end_with_line(at, "end")
                .or_else(|| self.end_with_line(at, "{end}")),
            TokenKind::Else => self
                .end_with_line(at, "else")
                .or_else(|| self.end_with_line(at, "{else}")),
            TokenKind::EscapedDirective => self.escaped_directive(at),
            TokenKind::Set => self.set(at),
            TokenKind::Dollar => {
                let dollar = self.skip_backslashes(at);
                (self.get(dollar) == Some('$')).then_some(dollar + 1)
            }
            TokenKind::DollarBang => self.dollar_bang(at),
            TokenKind::FormalCommentStart => {
                let other = self.get(at + 3).is_some_and(|c| c != '#');
                (self.starts_with(at, "#**") && other).then_some(at + 4)
            }
            TokenKind::Text => self.run(at, |c| !matches!(c, '$' | '#' | '\\')),
            TokenKind::Whitespace => self.run(at, |c| matches!(c, ' ' | '\t' | '\n' | '\r')),
            TokenKind::StringLiteral => self.string(at),
            TokenKind::Integer => self.integer(at),
            TokenKind::Float => self.float(at),
            TokenKind::Word => self.word(at, true),
            TokenKind::BracketedWord => self.bracketed_word(at),
            TokenKind::Identifier => {
                let starts = self
                    .get(at)
                    .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
                let end = self.skip(at, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
                starts.then_some(end)
            }
            TokenKind::Dot => {
                let letter = self.get(at + 1).is_some_and(|c| c.is_ascii_alphabetic());
                (self.get(at) == Some('.') && letter).then_some(at + 2)
            }
            _ => self.get(at).map(|_| at + 1),
        }
    }

    fn run(&self, at: usize, accept: impl Fn(char) -> bool) -> Option<usize> {
        let end = self.skip(at, accept);
        (end > at).then_some(end)
    }

    /// Returns the end of a line break at a position.
    fn line_break(&self, at: usize) -> Option<usize> {
        match (self.get(at), self.get(at + 1)) {
            (Some('\r'), Some('\n')) => Some(at + 2),
            (Some('\r' | '\n'), _) => Some(at + 1),
            _ => None,
        }
    }

    /// Matches a text and, if only blanks follow in its line, the rest of the line with its break.
    fn end_with_line(&self, at: usize, text: &str) -> Option<usize> {
        if !self.starts_with(at, text) {
            return None;
        }
        let end = at + text.len();
        let blank = self.skip(end, |c| matches!(c, ' ' | '\t'));
        Some(self.line_break(blank).unwrap_or(end))
    }

    /// Matches an odd number of backslashes and a directive.
    fn escaped_directive(&mut self, at: usize) -> Option<usize> {
        let hash = self.skip_backslashes(at);
        if (hash - at).is_multiple_of(2) || self.get(hash) != Some('#') {
            return None;
        }
        self.word(hash + 1, true)
            .or_else(|| self.bracketed_word(hash + 1))
    }

    fn set(&self, at: usize) -> Option<usize> {
        let hash = self.skip(at, |c| matches!(c, ' ' | '\t'));
        let set = ["#set", "#{set}"]
            .into_iter()
            .find(|set| self.starts_with(hash, set))?;
        let paren = self.skip(hash + set.len(), |c| c == ' ');
        (self.get(paren) == Some('(')).then_some(paren + 1)
    }

    fn dollar_bang(&mut self, at: usize) -> Option<usize> {
        let dollar = self.skip_backslashes(at);
        if self.get(dollar) != Some('$') {
            return None;
        }
        let bang = self.skip_backslashes(dollar + 1);
        (self.get(bang) == Some('!')).then_some(bang + 1)
    }

    fn word(&self, at: usize, with_at: bool) -> Option<usize> {
        let first = self.get(at)?;
        let starts = first.is_ascii_alphabetic() || first == '_' || (with_at && first == '@');
        starts.then(|| self.skip(at, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '@')))
    }

    fn bracketed_word(&self, at: usize) -> Option<usize> {
        if self.get(at) != Some('{') {
            return None;
        }
        let end = self.word(at + 1, false)?;
        (self.get(end) == Some('}')).then_some(end + 1)
    }

    fn digits(&self, at: usize) -> Option<usize> {
        self.run(at, |c| c.is_ascii_digit())
    }

    fn after_sign(&self, at: usize) -> usize {
        at + usize::from(self.get(at) == Some('-'))
    }

    /// Matches an integer, and the two dots of a range after it.
    fn integer(&self, at: usize) -> Option<usize> {
        let end = self.digits(self.after_sign(at))?;
        Some(end + 2 * usize::from(self.starts_with(end, "..")))
    }

    fn float(&self, at: usize) -> Option<usize> {
        let start = self.after_sign(at);
        let whole = self.digits(start);
        let dot = whole.unwrap_or(start);
        if self.get(dot) != Some('.') {
            return self.exponent(whole?);
        }
        let end = match (whole, self.digits(dot + 1)) {
            (_, Some(end)) => end,
            (Some(_), None) => dot + 1,
            (None, None) => return None,
        };
        Some(self.exponent(end).unwrap_or(end))
    }

    fn exponent(&self, at: usize) -> Option<usize> {
        if !matches!(self.get(at)?, 'e' | 'E') {
            return None;
        }
        let sign = usize::from(matches!(self.get(at + 1), Some('+' | '-')));
        self.digits(at + 1 + sign)
    }

    /// Matches a string. Two quotes in a string are a quote, so the longest match ends at the last quote that can close it.
    fn string(&self, at: usize) -> Option<usize> {
        let quote = self.get(at).filter(|c| matches!(c, '"' | '\''))?;
        let mut end = None;
        let mut next = at + 1;
        while let Some(c) = self.get(next) {
            next += 1;
            if c == quote {
                end = Some(next);
                if self.get(next) != Some(quote) {
                    break;
                }
                next += 1;
            }
        }
        end
    }
}

/// Returns the texts of a token that has only fixed ones.
fn fixed_texts(kind: TokenKind) -> Option<&'static [&'static str]> {
    Some(match kind {
        TokenKind::IndexOpen | TokenKind::BracketOpen => &["["],
        TokenKind::IndexClose | TokenKind::BracketClose => &["]"],
        TokenKind::Comma => &[","],
        TokenKind::DoubleDot => &[".."],
        TokenKind::Colon => &[":"],
        TokenKind::MapOpen | TokenKind::CurlyOpen => &["{"],
        TokenKind::MapClose | TokenKind::CurlyClose => &["}"],
        TokenKind::ParenOpen => &["("],
        TokenKind::CallClose => &[")"],
        TokenKind::TextBlockStart => &["#[["],
        TokenKind::BlockCommentStart => &["#*"],
        TokenKind::Hash => &["#"],
        TokenKind::LineCommentStart => &["##"],
        TokenKind::DoubleEscape => &["\\\\"],
        TokenKind::Escape => &["\\"],
        TokenKind::LineCommentEnd => &["\n", "\r", "\r\n"],
        TokenKind::FormalComment | TokenKind::BlockComment => &["*#"],
        TokenKind::TextBlock => &["]]#"],
        TokenKind::True => &["true"],
        TokenKind::False => &["false"],
        TokenKind::Minus => &["-"],
        TokenKind::Plus => &["+"],
        TokenKind::Multiply => &["*"],
        TokenKind::Divide => &["/"],
        TokenKind::Modulus => &["%"],
        TokenKind::And => &["&&", "and"],
        TokenKind::Or => &["||", "or"],
        TokenKind::Less => &["<", "lt"],
        TokenKind::LessOrEqual => &["<=", "le"],
        TokenKind::Greater => &[">", "gt"],
        TokenKind::GreaterOrEqual => &[">=", "ge"],
        TokenKind::Equal => &["==", "eq"],
        TokenKind::NotEqual => &["!=", "ne"],
        TokenKind::Not => &["!", "not"],
        TokenKind::Assign => &["="],
        TokenKind::If => &["if", "{if}"],
        TokenKind::ElseIf => &["elseif", "{elseif}"],
        TokenKind::EmptyIndex => &["$[", "$![", "$\\![", "$."],
        _ => return None,
    })
}
