//! References: `$name`, `${name}`, `$!name`, with properties, methods and indexes.

use super::super::token::TokenKind;
use super::super::tree::{Access, Expr, VtlReference};
use super::{Parsed, Parser};

impl Parser {
    pub(super) fn reference(&mut self) -> Parsed<VtlReference> {
        let first = self.at;
        let formal = self.skip(TokenKind::CurlyOpen)?;
        self.expect(TokenKind::Identifier, "the name of a reference")?;
        let mut accesses = Vec::new();
        self.indexes(&mut accesses)?;
        while self.next_is(TokenKind::Dot)? && self.kind(1)? == TokenKind::Identifier {
            self.advance()?;
            let name = self.at;
            let access = if self.is_method()? {
                self.nested(Self::method)?
            } else {
                self.advance()?;
                Access::Property(self.image(name).to_owned(), self.position(name))
            };
            accesses.push(access);
            self.indexes(&mut accesses)?;
        }
        if formal {
            self.expect(TokenKind::CurlyClose, "`}` of a reference")?;
        }
        Ok(self.reference_of(first, accesses))
    }

    /// Returns true if the next tokens are a name, a parenthesis, and an argument or the other parenthesis.
    fn is_method(&mut self) -> Parsed<bool> {
        if self.kind(1)? != TokenKind::ParenOpen {
            return Ok(false);
        }
        let third = self.kind(2)?;
        Ok(
            matches!(third, TokenKind::CallClose | TokenKind::Whitespace)
                || starts_parameter(third),
        )
    }

    fn method(&mut self) -> Parsed<Access> {
        let name = self.advance()?;
        self.expect(TokenKind::ParenOpen, "`(`")?;
        let mut arguments = Vec::new();
        if !self.next_is(TokenKind::CallClose)? {
            arguments.push(self.parameter()?);
            while self.skip(TokenKind::Comma)? {
                arguments.push(self.parameter()?);
            }
        }
        self.expect(TokenKind::CallClose, "`,` or `)` after an argument")?;
        Ok(Access::Method(
            self.image(name).to_owned(),
            arguments,
            self.position(name),
        ))
    }

    fn indexes(&mut self, accesses: &mut Vec<Access>) -> Parsed<()> {
        while self.next_is(TokenKind::IndexOpen)? {
            let bracket = self.advance()?;
            self.skip(TokenKind::Whitespace)?;
            let index = match self.kind(0)? {
                TokenKind::StringLiteral
                | TokenKind::Integer
                | TokenKind::True
                | TokenKind::False
                | TokenKind::Identifier
                | TokenKind::CurlyOpen => self.nested(Self::operand)?,
                _ => return Err(self.unexpected("a string, an integer or a reference as index")),
            };
            self.skip(TokenKind::Whitespace)?;
            self.expect(TokenKind::IndexClose, "`]`")?;
            accesses.push(Access::Index(index, self.position(bracket)));
        }
        Ok(())
    }

    /// Builds a reference from its first token, whose text has escapes and prefixes before the name.
    fn reference_of(&mut self, first: usize, accesses: Vec<Access>) -> VtlReference {
        let position = self.position(first);
        let image = self.image(first).to_owned();
        let mut reference = VtlReference {
            name: String::new(),
            accesses,
            escaped: false,
            is_text: false,
            has_value: true,
            escape_prefix: String::new(),
            more_prefix: String::new(),
            null_text: String::new(),
            position,
        };
        if image.contains("\\!") {
            reference.null_text = without_bang_escape(&image);
            reference.name.clone_from(&reference.null_text);
            reference.has_value = false;
            return reference;
        }
        let unescaped = image.trim_start_matches('\\');
        let slashes = image.len() - unescaped.len();
        reference.escaped = !slashes.is_multiple_of(2);
        reference.escape_prefix = "\\".repeat(slashes / 2);
        let dollar = unescaped.rfind('$').unwrap_or(0);
        let (prefix, start) = unescaped.split_at(dollar);
        reference.more_prefix = prefix.to_owned();
        let start = start.to_owned();
        if !self.speculative {
            self.tokens[first].image.clone_from(&start);
        }
        reference.null_text = self.text_from(first);
        let after_dollar = start.strip_prefix('$');
        let quiet = after_dollar.and_then(|rest| rest.strip_prefix('!'));
        if quiet.is_some() && !reference.escaped {
            reference.null_text.clear();
        }
        reference.is_text = after_dollar.is_none();
        reference.name = match quiet.or(after_dollar) {
            Some("{") => self.image(first + 1).to_owned(),
            Some(name) => name.to_owned(),
            None => start,
        };
        reference
    }

    /// Parses a value in the arguments of a method or in a list.
    pub(super) fn parameter(&mut self) -> Parsed<Expr> {
        self.skip(TokenKind::Whitespace)?;
        if !starts_parameter(self.kind(0)?) {
            return Err(self.unexpected("a value"));
        }
        let value = self.nested(Self::operand)?;
        self.skip(TokenKind::Whitespace)?;
        Ok(value)
    }
}

/// Removes the last backslash of the first run of them after the `$`.
fn without_bang_escape(image: &str) -> String {
    let dollar = image.find('$').unwrap_or(0);
    let start = image[dollar..]
        .find('\\')
        .map_or(image.len(), |at| dollar + at);
    let rest = image[start..].trim_start_matches('\\');
    let count = image.len() - start - rest.len();
    format!(
        "{}{}{rest}",
        &image[..start],
        "\\".repeat(count.saturating_sub(1))
    )
}

/// Returns true for the first token of a value.
pub(super) fn starts_parameter(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::StringLiteral
            | TokenKind::Integer
            | TokenKind::Float
            | TokenKind::BracketOpen
            | TokenKind::MapOpen
            | TokenKind::True
            | TokenKind::False
            | TokenKind::Identifier
            | TokenKind::CurlyOpen
    )
}
