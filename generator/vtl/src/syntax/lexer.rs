//! Lexer of templates: a machine with the states of Velocity's grammar.
//!
//! The states determine where text ends, where a reference or a directive starts, and which blanks a directive swallows.
//! The longest token of a state wins. A token can be a prefix, such as `$`: then the next one continues it.

use super::matching::Characters;
use super::token::{LexState, LexToken, TokenKind, tokens_of};
use crate::error::{SyntaxProblem, TemplateError, TemplatePosition};

/// Lexer of one template.
pub(super) struct Lexer {
    chars: Characters,
    at: usize,
    /// Position of the character that was counted last.
    position: TemplatePosition,
    counted: usize,
    state: LexState,
    stack: Vec<SavedState>,
    open_parens: usize,
    closed_parens: usize,
    in_comment: bool,
    in_set: bool,
}

struct SavedState {
    state: LexState,
    open_parens: usize,
    closed_parens: usize,
}

impl Lexer {
    pub(super) fn new(text: &str) -> Self {
        Lexer {
            chars: Characters::new(text),
            at: 0,
            position: TemplatePosition { line: 1, column: 1 },
            counted: 0,
            state: LexState::Default,
            stack: Vec::new(),
            open_parens: 0,
            closed_parens: 0,
            in_comment: false,
            in_set: false,
        }
    }

    /// Enters the arguments of a directive whose name the parser has read.
    pub(super) fn enter_directive(&mut self) {
        self.state = LexState::Directive;
    }

    /// Leaves the state of a directive or reference.
    pub(super) fn leave(&mut self) -> bool {
        let Some(saved) = self.stack.pop() else {
            self.open_parens = 0;
            self.state = LexState::Default;
            return false;
        };
        self.open_parens = saved.open_parens;
        self.closed_parens = saved.closed_parens;
        self.state = saved.state;
        true
    }

    /// Notes that the parser has read a whole `#set`.
    pub(super) fn end_set(&mut self) {
        self.in_set = false;
    }

    /// Returns true if the next character that is not white space is `(`.
    pub(super) fn paren_follows(&self) -> bool {
        let mut at = self.at;
        while matches!(self.chars.get(at), Some(' ' | '\n' | '\r' | '\t')) {
            at += 1;
        }
        self.chars.get(at) == Some('(')
    }

    /// Reads the next token.
    ///
    /// # Errors
    ///
    /// Fails if no token of the state starts here.
    pub(super) fn next_token(&mut self) -> Result<LexToken, TemplateError> {
        let mut special = Special::default();
        let mut begin = self.at;
        loop {
            if self.at >= self.chars.len() {
                if self.at > begin {
                    return Err(self.unknown_token());
                }
                let position = self.position_of(begin);
                return Ok(special.before(TokenKind::EndOfTemplate, String::new(), position));
            }
            let (kind, end) = self.longest_token().ok_or_else(|| self.unknown_token())?;
            self.at = end;
            match kind {
                TokenKind::Dollar | TokenKind::DollarBang => self.start_reference(),
                TokenKind::Hash => self.start_directive(),
                TokenKind::TextBlockStart => self.start_comment(LexState::TextBlock),
                TokenKind::FormalCommentStart => {
                    if !self.in_comment {
                        self.at -= 1;
                    }
                    self.start_comment(LexState::FormalComment);
                }
                TokenKind::BlockCommentStart => self.start_comment(LexState::BlockComment),
                TokenKind::TextBlockCharacter => {}
                TokenKind::Skipped => begin = self.at,
                TokenKind::ReferenceEnd | TokenKind::DirectiveEnd => {
                    special.add(&self.chars.text(begin, end));
                    self.at -= 1;
                    self.leave();
                    begin = self.at;
                }
                _ => {
                    let image = self.finish(kind, self.chars.text(begin, end));
                    let position = self.position_of(begin);
                    return Ok(special.before(kind, image, position));
                }
            }
        }
    }

    fn longest_token(&mut self) -> Option<(TokenKind, usize)> {
        let mut longest: Option<(TokenKind, usize)> = None;
        for kind in tokens_of(self.state) {
            let end = self.chars.end_of(*kind, self.at);
            if let Some(end) = end.filter(|end| longest.is_none_or(|(_, longest)| *end > longest)) {
                longest = Some((*kind, end));
            }
        }
        longest
    }

    fn enter(&mut self, state: LexState) {
        self.stack.push(SavedState {
            state: self.state,
            open_parens: self.open_parens,
            closed_parens: self.closed_parens,
        });
        self.open_parens = 0;
        self.state = state;
    }

    fn start_comment(&mut self, state: LexState) {
        if !self.in_comment {
            self.in_comment = true;
            self.enter(state);
        }
    }

    fn end_comment(&mut self) {
        self.in_comment = false;
        self.leave();
    }

    fn start_reference(&mut self) {
        if !self.in_comment {
            if self.state == LexState::Reference {
                self.leave();
            }
            self.enter(LexState::Reference);
        }
    }

    fn start_directive(&mut self) {
        if !self.in_comment {
            if matches!(self.state, LexState::Reference | LexState::RefModifier) {
                self.leave();
            }
            self.enter(LexState::PreDirective);
        }
    }

    /// Applies what a token does to the state, and returns its text.
    fn finish(&mut self, kind: TokenKind, mut image: String) -> String {
        match kind {
            TokenKind::IndexOpen => self.enter(LexState::RefIndex),
            TokenKind::IndexClose | TokenKind::CurlyClose | TokenKind::End | TokenKind::Else => {
                self.leave();
            }
            TokenKind::ParenOpen => {
                self.open_parens += 1;
                if self.state == LexState::RefModifier {
                    self.state = LexState::RefArguments;
                }
            }
            TokenKind::ParenClose => self.close_paren(),
            TokenKind::CallClose => self.state = LexState::Reference,
            TokenKind::Set => {
                self.enter(LexState::Directive);
                self.in_set = true;
                self.open_parens += 1;
            }
            TokenKind::LineCommentStart => {
                if self.state == LexState::Reference {
                    self.leave();
                }
                self.start_comment(LexState::LineComment);
            }
            TokenKind::LineCommentEnd
            | TokenKind::FormalComment
            | TokenKind::BlockComment
            | TokenKind::TextBlock => self.end_comment(),
            TokenKind::StringLiteral if self.state == LexState::Directive => {
                self.leave_without_paren();
            }
            TokenKind::If | TokenKind::ElseIf => self.enter_directive(),
            TokenKind::Integer => {
                if let Some(number) = image.strip_suffix("..") {
                    image = number.to_owned();
                    self.at -= 2;
                }
                if !matches!(self.state, LexState::RefArguments | LexState::RefIndex) {
                    self.leave_without_paren();
                }
            }
            TokenKind::Float if self.state != LexState::RefArguments => self.leave_without_paren(),
            TokenKind::Dot => {
                self.at -= 1;
                ".".clone_into(&mut image);
                self.state = LexState::RefModifier;
            }
            _ => {}
        }
        image
    }

    fn leave_without_paren(&mut self) {
        if !self.in_set && self.open_parens == 0 {
            self.leave();
        }
    }

    /// Leaves the states up to the one that the parenthesis closes.
    fn close_paren(&mut self) {
        while self.open_parens == 0 {
            if !self.leave() {
                return;
            }
        }
        if self.open_parens == self.closed_parens + 1 {
            self.leave();
        } else {
            self.closed_parens += 1;
        }
    }

    fn unknown_token(&mut self) -> TemplateError {
        let position = self.position_of(self.at);
        let found = match self.chars.get(self.at) {
            Some(c) => format!("`{}`", c.escape_debug()),
            None => "the end of the template".to_owned(),
        };
        let problem = SyntaxProblem::UnknownToken(found);
        TemplateError { position, problem }
    }

    fn position_of(&mut self, at: usize) -> TemplatePosition {
        while self.counted < at {
            let c = self.chars.get(self.counted);
            self.counted += 1;
            let breaks =
                c == Some('\n') || (c == Some('\r') && self.chars.get(self.counted) != Some('\n'));
            if breaks {
                self.position.line += 1;
                self.position.column = 1;
            } else {
                self.position.column += 1;
            }
        }
        self.position
    }
}

/// Prefixes of tokens that turned out to be text, before the next token.
#[derive(Default)]
struct Special {
    text: String,
    ends_with_comment: bool,
}

impl Special {
    /// Adds a prefix with the character after it. Only `$`, `#` and escapes of `$` count: the next token repeats the rest.
    fn add(&mut self, image: &str) {
        self.ends_with_comment = image.starts_with("##");
        let mut rest = image;
        while let Some(c) = rest.chars().next() {
            let after = rest.trim_start_matches('\\');
            let escapes = c == '\\' && after.starts_with('$');
            let used = if escapes {
                rest.len() - after.len() + 1
            } else {
                c.len_utf8()
            };
            if escapes || matches!(c, '#' | '$') {
                self.text.push_str(&rest[..used]);
            }
            rest = &rest[used..];
            if escapes {
                // Velocity loses the character after the `$`.
                rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
            }
        }
    }

    fn before(self, kind: TokenKind, image: String, position: TemplatePosition) -> LexToken {
        let special = if self.ends_with_comment {
            String::new()
        } else {
            self.text
        };
        LexToken {
            kind,
            image,
            special,
            position,
        }
    }
}
