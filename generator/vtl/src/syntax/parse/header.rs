//! Names of directives and their arguments.

use super::super::token::TokenKind;
use super::super::tree::{Expr, QuotedSource};
use super::reference::starts_parameter;
use super::{Parsed, Parser, is_directive};
use crate::error::{SyntaxProblem, TemplateError};

/// Directive with its arguments, before its block.
pub(super) struct DirectiveHeader {
    /// Index of the token with the name.
    pub(super) token: usize,
    pub(super) name: String,
    pub(super) arguments: Vec<DirectiveArgument>,
    pub(super) has_parens: bool,
}

pub(super) struct DirectiveArgument {
    pub(super) value: Expr,
    /// Text of the first token.
    pub(super) image: String,
    pub(super) source: QuotedSource,
    pub(super) literal: String,
}

impl Parser {
    /// Parses the name of a directive and its arguments.
    pub(super) fn header(&mut self) -> Parsed<DirectiveHeader> {
        let token = self.advance()?;
        let image = self.image(token);
        let name: String = match self.tokens[token].kind {
            TokenKind::BracketedWord => {
                let inner: String = image.chars().skip(2).collect();
                inner.strip_suffix('}').map(str::to_owned).unwrap_or(inner)
            }
            _ => image.chars().skip(1).collect(),
        };
        self.lexer.enter_directive();
        let mut header = DirectiveHeader {
            token,
            name,
            arguments: Vec::new(),
            has_parens: false,
        };
        if !self.lexer.paren_follows() {
            if header.name == "macro" {
                return Err(self.bad_arguments(&header, "it needs a name in parentheses"));
            }
            self.lexer.leave();
            return Ok(header);
        }
        header.has_parens = true;
        self.skip(TokenKind::Whitespace)?;
        self.expect(TokenKind::ParenOpen, "`(`")?;
        while self.argument_follows()? {
            self.skip(TokenKind::Whitespace)?;
            if self.skip(TokenKind::Comma)? {
                self.skip(TokenKind::Whitespace)?;
            }
            let argument = self.argument()?;
            self.check_word(&header, &argument.value)?;
            header.arguments.push(argument);
        }
        self.skip(TokenKind::Whitespace)?;
        self.expect(TokenKind::ParenClose, "an argument or `)`")?;
        Ok(header)
    }

    /// Looks two tokens ahead, as Velocity does.
    fn argument_follows(&mut self) -> Parsed<bool> {
        let first = self.kind(0)?;
        Ok(match first {
            TokenKind::Whitespace => {
                let second = self.kind(1)?;
                second == TokenKind::Comma || starts_argument(second)
            }
            TokenKind::Comma => {
                let second = self.kind(1)?;
                second == TokenKind::Whitespace || starts_argument(second)
            }
            TokenKind::CurlyOpen => self.kind(1)? == TokenKind::Identifier,
            TokenKind::BracketOpen => {
                let second = self.kind(1)?;
                matches!(second, TokenKind::Whitespace | TokenKind::BracketClose)
                    || starts_parameter(second)
            }
            TokenKind::MapOpen => {
                let second = self.kind(1)?;
                matches!(
                    second,
                    TokenKind::Whitespace | TokenKind::MapClose | TokenKind::CurlyClose
                ) || starts_parameter(second)
            }
            _ => starts_argument(first),
        })
    }

    fn argument(&mut self) -> Parsed<DirectiveArgument> {
        let first = self.at;
        let value = match self.kind(0)? {
            TokenKind::Word => {
                self.advance()?;
                Expr::Nothing(self.image(first).to_owned())
            }
            _ => self.operand()?,
        };
        Ok(DirectiveArgument {
            value,
            image: self.image(first).to_owned(),
            source: self.source(first),
            literal: self.text_from(first),
        })
    }

    /// Accepts words only as the name of a macro, as the `in` of `#foreach`, and for macros that are defined later.
    fn check_word(&self, header: &DirectiveHeader, value: &Expr) -> Parsed<()> {
        let index = header.arguments.len();
        let is_word = matches!(value, Expr::Nothing(_));
        if header.name == "macro" && index == 0 {
            return match is_word {
                true => Ok(()),
                false => {
                    Err(self.bad_arguments(header, "the name of a macro has no quotes and no $"))
                }
            };
        }
        let allowed = match header.name.as_str() {
            "foreach" => index == 1,
            name => !is_directive(name) && !self.registered.contains(name),
        };
        match is_word && !allowed {
            true => Err(self.bad_arguments(header, "quote an argument that is text")),
            false => Ok(()),
        }
    }

    pub(super) fn bad_arguments(
        &self,
        header: &DirectiveHeader,
        reason: &'static str,
    ) -> TemplateError {
        let directive = header.name.clone();
        TemplateError {
            position: self.position(header.token),
            problem: SyntaxProblem::DirectiveArguments { directive, reason },
        }
    }
}

impl DirectiveArgument {
    /// Returns the name of the variable that a loop sets.
    pub(super) fn into_variable(self) -> String {
        match self.value {
            Expr::Reference(reference) => reference.name,
            _ => self.image.chars().skip(1).collect(),
        }
    }
}

fn starts_argument(kind: TokenKind) -> bool {
    kind == TokenKind::Word || starts_parameter(kind)
}
