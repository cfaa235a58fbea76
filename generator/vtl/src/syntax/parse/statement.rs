//! Statements: text, references, comments, escapes, `#set` and `#if`.

use super::super::token::TokenKind;
use super::super::tree::{Block, Condition, Part, SetDirective};
use super::{Parsed, Parser, is_directive};

impl Parser {
    /// Parses statements up to a token that starts none.
    pub(super) fn statements(&mut self) -> Parsed<Block> {
        let mut block = Block::new();
        while starts_statement(self.kind(0)?) {
            self.statement(&mut block)?;
        }
        Ok(block)
    }

    fn statement(&mut self, block: &mut Block) -> Parsed<()> {
        let part = match self.kind(0)? {
            TokenKind::If => self.nested(Self::if_statement)?,
            TokenKind::Identifier => Part::Reference(self.reference()?),
            TokenKind::CurlyOpen if self.kind(1)? == TokenKind::Identifier => {
                Part::Reference(self.reference()?)
            }
            TokenKind::LineCommentStart => {
                let start = self.advance()?;
                self.skip(TokenKind::LineCommentEnd)?;
                self.comment(start)
            }
            TokenKind::FormalComment | TokenKind::BlockComment => {
                let start = self.advance()?;
                self.comment(start)
            }
            TokenKind::TextBlock => {
                let token = self.advance()?;
                let image = self.image(token);
                let text = image.strip_suffix("]]#").unwrap_or(image);
                // Prefixes of other tokens may stand before the opening, and Velocity cuts three characters off.
                Part::Text(text.chars().skip(3).collect())
            }
            TokenKind::Set => self.set()?,
            TokenKind::EscapedDirective => {
                let token = self.advance()?;
                let text = self.escaped_directive(token);
                // Velocity quotes the text that it renders.
                self.tokens[token].image.clone_from(&text);
                Part::Text(text)
            }
            TokenKind::DoubleEscape => self.double_escapes()?,
            TokenKind::Word | TokenKind::BracketedWord => {
                let Some(part) = self.nested(Self::directive)? else {
                    return Ok(());
                };
                part
            }
            _ => {
                let token = self.advance()?;
                let mut text = String::new();
                self.tokens[token].append_literal(&mut text);
                Part::Text(text)
            }
        };
        match (part, block.last_mut()) {
            (Part::Text(text), Some(Part::Text(last))) => last.push_str(&text),
            (part, _) => block.push(part),
        }
        Ok(())
    }

    /// Returns what a comment renders: text before it that the lexer took for a part of it.
    fn comment(&self, start: usize) -> Part {
        let image = self.image(start);
        let end = image.find("##").or_else(|| image.find("#*")).unwrap_or(0);
        Part::Text(image[..end].to_owned())
    }

    fn escaped_directive(&self, token: usize) -> String {
        let image = self.image(token);
        let Some((slashes, directive)) = image.rsplit_once('\\') else {
            return image.to_owned();
        };
        let name = directive.trim_start_matches('#');
        let name = name
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
            .unwrap_or(name);
        let known = is_directive(name)
            || matches!(name, "if" | "end" | "set" | "else" | "elseif")
            || self.is_macro(name);
        if known {
            // Of the backslashes, the last one escapes and the others stand in pairs.
            format!("{}{directive}", "\\".repeat(slashes.len() / 2))
        } else {
            image.to_owned()
        }
    }

    /// Parses pairs of backslashes. Before a directive, each pair is one backslash.
    fn double_escapes(&mut self) -> Parsed<Part> {
        let mut count = 0;
        while self.skip(TokenKind::DoubleEscape)? {
            count += 1;
        }
        let next = self.kind(0)?;
        let name: String = self.image(self.at).chars().skip(1).collect();
        let before_directive = matches!(
            next,
            TokenKind::If | TokenKind::Else | TokenKind::ElseIf | TokenKind::End
        ) || is_directive(&name)
            || self.is_macro(&name);
        Ok(Part::Text(
            if before_directive { "\\" } else { "\\\\" }.repeat(count),
        ))
    }

    fn set(&mut self) -> Parsed<Part> {
        self.advance()?;
        self.skip(TokenKind::Whitespace)?;
        if !matches!(self.kind(0)?, TokenKind::Identifier | TokenKind::CurlyOpen) {
            return Err(self.unexpected("the reference that #set assigns to"));
        }
        let first = self.at;
        let target = self.reference()?;
        let name = self.image(first).chars().skip(1).collect();
        self.skip(TokenKind::Whitespace)?;
        self.expect(TokenKind::Assign, "`=`")?;
        let value = self.expression()?;
        self.expect(TokenKind::ParenClose, "`)`")?;
        self.lexer.end_set();
        Ok(Part::Set(SetDirective {
            target,
            name,
            value,
        }))
    }

    fn if_statement(&mut self) -> Parsed<Part> {
        let mut branches = vec![self.condition()?];
        while self.next_is(TokenKind::ElseIf)? {
            branches.push(self.condition()?);
        }
        if self.skip(TokenKind::Else)? {
            let body = self.statements()?;
            branches.push(Condition {
                condition: None,
                body,
            });
        }
        self.expect(TokenKind::End, "#end of an #if")?;
        Ok(Part::If(branches))
    }

    fn condition(&mut self) -> Parsed<Condition> {
        self.advance()?;
        self.skip(TokenKind::Whitespace)?;
        self.expect(TokenKind::ParenOpen, "`(` with a condition")?;
        let condition = Some(self.expression()?);
        self.expect(TokenKind::ParenClose, "`)`")?;
        let body = self.statements()?;
        Ok(Condition { condition, body })
    }
}

fn starts_statement(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::ParenOpen
            | TokenKind::ParenClose
            | TokenKind::EscapedDirective
            | TokenKind::Set
            | TokenKind::LineCommentStart
            | TokenKind::DoubleEscape
            | TokenKind::Escape
            | TokenKind::Text
            | TokenKind::FormalComment
            | TokenKind::BlockComment
            | TokenKind::TextBlock
            | TokenKind::StringLiteral
            | TokenKind::If
            | TokenKind::Integer
            | TokenKind::Float
            | TokenKind::Word
            | TokenKind::BracketedWord
            | TokenKind::Identifier
            | TokenKind::Dot
            | TokenKind::CurlyOpen
            | TokenKind::CurlyClose
            | TokenKind::EmptyIndex
    )
}
