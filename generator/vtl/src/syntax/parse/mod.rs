//! Parser of templates.
//!
//! The parser reads tokens only when it needs them, because it changes the state of the lexer after the name of a directive.

mod directive;
mod expression;
mod header;
mod reference;
mod statement;
mod string;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::lexer::Lexer;
use super::token::{LexToken, TokenKind};
use super::tree::{Block, MacroDefinition, QuotedSource, TokenList};
use crate::error::{SyntaxProblem, TemplateError, TemplatePosition};
use crate::limits::MAX_SYNTAX_DEPTH;

/// Result of a parser.
type Parsed<T> = Result<T, TemplateError>;

/// Names of macros.
pub(crate) type MacroNames = Arc<BTreeSet<String>>;

/// Parsed template.
#[derive(Debug)]
pub(crate) struct ParsedTemplate {
    pub(crate) body: Block,
    /// Macros in the order of their definitions.
    pub(crate) macros: Vec<Arc<MacroDefinition>>,
}

/// Parses a template. `known_macros` are macros of the templates that contain this one.
///
/// # Errors
///
/// Returns the first error.
pub(crate) fn parse(text: &str, known_macros: &MacroNames) -> Parsed<ParsedTemplate> {
    parse_nested(text, Arc::clone(known_macros), 0)
}

fn parse_nested(text: &str, known_macros: MacroNames, depth: usize) -> Parsed<ParsedTemplate> {
    let mut parser = Parser {
        lexer: Lexer::new(text),
        lexer_error: None,
        tokens: Vec::new(),
        at: 0,
        token_list: Arc::new(OnceLock::new()),
        registered: Arc::clone(&known_macros),
        macro_names: known_macros,
        macros: Vec::new(),
        depth,
        speculative: false,
        ranges: HashMap::new(),
    };
    let body = parser.statements()?;
    parser.expect(TokenKind::EndOfTemplate, "text, a reference or a directive")?;
    // The list is new, so it is empty.
    let _ = parser.token_list.set(parser.tokens);
    Ok(ParsedTemplate {
        body,
        macros: parser.macros,
    })
}

struct Parser {
    lexer: Lexer,
    /// The lexer cannot go on after an error, which the parser may find while it looks ahead.
    lexer_error: Option<TemplateError>,
    tokens: Vec<LexToken>,
    /// Index of the next token.
    at: usize,
    token_list: TokenList,
    /// Names of the macros that were registered before this template was parsed: their arguments are checked at once.
    registered: MacroNames,
    /// Names of the macros that are defined so far: a backslash before them is an escape.
    macro_names: MacroNames,
    macros: Vec<Arc<MacroDefinition>>,
    depth: usize,
    /// The parser looks ahead and will come back.
    speculative: bool,
    /// Results of looking ahead for a range, by the index of its bracket.
    ranges: HashMap<usize, bool>,
}

impl Parser {
    /// Returns the kind of a token, counted from the next one.
    fn kind(&mut self, ahead: usize) -> Parsed<TokenKind> {
        while self.tokens.len() <= self.at + ahead {
            if let Some(error) = &self.lexer_error {
                return Err(error.clone());
            }
            match self.lexer.next_token() {
                Ok(token) => self.tokens.push(token),
                Err(error) => self.lexer_error = Some(error),
            }
        }
        Ok(self.tokens[self.at + ahead].kind)
    }

    fn next_is(&mut self, kind: TokenKind) -> Parsed<bool> {
        Ok(self.kind(0)? == kind)
    }

    /// Consumes the next token and returns its index.
    fn advance(&mut self) -> Parsed<usize> {
        self.kind(0)?;
        self.at += 1;
        Ok(self.at - 1)
    }

    fn skip(&mut self, kind: TokenKind) -> Parsed<bool> {
        let found = self.next_is(kind)?;
        self.at += usize::from(found);
        Ok(found)
    }

    fn expect(&mut self, kind: TokenKind, expected: &'static str) -> Parsed<usize> {
        if self.next_is(kind)? {
            return self.advance();
        }
        Err(self.unexpected(expected))
    }

    /// Returns the error that the next token is.
    fn unexpected(&self, expected: &'static str) -> TemplateError {
        let token = self.tokens.get(self.at);
        let found = match token.map(|token| token.image.as_str()) {
            None | Some("") => "the end of the template".to_owned(),
            Some(image) => format!("`{}`", image.escape_debug()),
        };
        let problem = SyntaxProblem::UnexpectedToken { found, expected };
        TemplateError {
            position: self.position(self.at),
            problem,
        }
    }

    fn image(&self, token: usize) -> &str {
        self.tokens
            .get(token)
            .map_or("", |token| token.image.as_str())
    }

    fn position(&self, token: usize) -> TemplatePosition {
        self.tokens
            .get(token)
            .map_or_else(TemplatePosition::default, |token| token.position)
    }

    /// Returns the source from a token up to the next one.
    fn source(&self, first: usize) -> QuotedSource {
        self.source_of(first, self.at)
    }

    fn source_of(&self, first: usize, end: usize) -> QuotedSource {
        QuotedSource {
            tokens: Arc::clone(&self.token_list),
            first,
            end,
        }
    }

    /// Returns the text from a token up to the next one.
    fn text_from(&self, first: usize) -> String {
        let mut text = String::new();
        for token in self.tokens.get(first..self.at).unwrap_or_default() {
            token.append_literal(&mut text);
        }
        text
    }

    /// Parses something that can contain itself.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_SYNTAX_DEPTH {
            let problem = SyntaxProblem::TooDeep(MAX_SYNTAX_DEPTH);
            return Err(TemplateError {
                position: self.position(self.at),
                problem,
            });
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Returns true if a parse of the next tokens succeeds, and comes back to the first of them.
    fn looks_like(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<()>) -> bool {
        let (at, speculative) = (self.at, self.speculative);
        self.speculative = true;
        let matches = parse(self).is_ok();
        self.speculative = speculative;
        self.at = at;
        matches
    }

    fn is_macro(&self, name: &str) -> bool {
        self.macro_names.contains(name)
    }
}

/// Returns true for the directives that are no part of the grammar itself.
fn is_directive(name: &str) -> bool {
    matches!(
        name,
        "foreach"
            | "include"
            | "parse"
            | "macro"
            | "literal"
            | "evaluate"
            | "break"
            | "define"
            | "stop"
    )
}
