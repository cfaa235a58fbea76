//! Directives other than `#set` and `#if`, and calls of macros.

use std::sync::Arc;

use super::super::token::TokenKind;
use super::super::tree::{
    Block, BreakDirective, DefineDirective, Expr, ForeachDirective, MacroArgument, MacroCall,
    MacroDefinition, Part,
};
use super::header::{DirectiveArgument, DirectiveHeader};
use super::{Parsed, Parser};
use crate::error::{SyntaxProblem, TemplateError};

/// Velocity's `velocimacro.max.depth`, which bounds bodies of macros, too.
const MAX_MACRO_DEPTH: usize = 20;

/// Velocity's `directive.define.max.depth`: how often a block can contain itself.
const MAX_DEFINE_DEPTH: usize = 2;

impl Parser {
    /// Parses a directive, or something that looks like one. A macro's definition renders nothing.
    pub(super) fn directive(&mut self) -> Parsed<Option<Part>> {
        let header = self.header()?;
        if matches!(header.name.as_str(), "include" | "parse") {
            let problem = SyntaxProblem::UnavailableDirective(header.name);
            return Err(TemplateError {
                position: self.position(header.token),
                problem,
            });
        }
        let is_block = matches!(
            header.name.as_str(),
            "foreach" | "macro" | "literal" | "define"
        ) || header.name.starts_with('@');
        let body_start = self.at;
        let body = match is_block && header.has_parens {
            true => Some(self.body()?),
            false => None,
        };
        self.directive_of(header, body, body_start)
    }

    fn body(&mut self) -> Parsed<Block> {
        let body = self.statements()?;
        if !self.next_is(TokenKind::End)? {
            return Err(self.unexpected("#end of a block"));
        }
        Ok(body)
    }

    fn directive_of(
        &mut self,
        header: DirectiveHeader,
        body: Option<Block>,
        body_start: usize,
    ) -> Parsed<Option<Part>> {
        let is_empty = self.at == body_start;
        let literal = match header.name.as_str() {
            "literal" => self.text_from(body_start),
            _ => String::new(),
        };
        if body.is_some() {
            self.expect(TokenKind::End, "#end of a block")?;
        }
        let part = match (header.name.as_str(), body) {
            ("foreach", body) => self.foreach(header, body)?,
            ("macro", body) => {
                self.macro_definition(header, body)?;
                return Ok(None);
            }
            ("literal", Some(_)) => match header.arguments.first() {
                // Velocity renders its first child, and fails without one.
                Some(argument) => Part::Text(argument.literal.clone()),
                None if is_empty => return Err(self.bad_arguments(&header, "its block is empty")),
                None => Part::Text(literal),
            },
            ("define", Some(body)) => {
                let [argument] = &header.arguments[..] else {
                    return Err(
                        self.bad_arguments(&header, "it needs one argument, the name of the block")
                    );
                };
                let name = argument.image.chars().skip(1).collect();
                Part::Define(Arc::new(DefineDirective {
                    name,
                    max_depth: MAX_DEFINE_DEPTH,
                    body,
                }))
            }
            ("literal" | "define", None) => {
                return Err(self.bad_arguments(&header, "it needs parentheses and a block"));
            }
            ("evaluate", _) => self.evaluate(header)?,
            ("break", _) => self.break_directive(header)?,
            ("stop", _) if header.arguments.len() > 1 => {
                return Err(self.bad_arguments(&header, "it has at most one argument, a message"));
            }
            ("stop", _) => Part::Stop,
            (_, body) => self.call(header, body),
        };
        Ok(Some(part))
    }

    fn foreach(&self, mut header: DirectiveHeader, body: Option<Block>) -> Parsed<Part> {
        let (Some(body), true) = (body, matches!(header.arguments.len(), 2 | 3)) else {
            return Err(self.bad_arguments(&header, "it needs `$item in $list`"));
        };
        let list = header.arguments.drain(2..).next().map(|list| list.value);
        let variable = header
            .arguments
            .drain(..)
            .next()
            .map(DirectiveArgument::into_variable);
        Ok(Part::Foreach(Arc::new(ForeachDirective {
            variable: variable.unwrap_or_default(),
            list,
            body,
            position: self.position(header.token),
        })))
    }

    fn macro_definition(&mut self, header: DirectiveHeader, body: Option<Block>) -> Parsed<()> {
        let mut images = header
            .arguments
            .iter()
            .map(|argument| argument.image.clone());
        let (Some(name), Some(body)) = (images.next(), body) else {
            return Err(self.bad_arguments(&header, "it needs a name in parentheses"));
        };
        let parameters = images
            .map(|image| image.strip_prefix('$').map(str::to_owned).unwrap_or(image))
            .collect();
        Arc::make_mut(&mut self.macro_names).insert(name.clone());
        self.macros.push(Arc::new(MacroDefinition {
            name,
            parameters,
            body,
        }));
        Ok(())
    }

    fn evaluate(&self, mut header: DirectiveHeader) -> Parsed<Part> {
        let argument = header.arguments.pop().map(|argument| argument.value);
        let accepted = matches!(
            argument,
            Some(Expr::Text(_) | Expr::Interpolated { .. } | Expr::Reference(_))
        );
        match argument {
            Some(value) if accepted && header.arguments.is_empty() => {
                Ok(Part::Evaluate(value, self.position(header.token)))
            }
            _ => Err(self.bad_arguments(&header, "it needs one argument, a string or a reference")),
        }
    }

    fn break_directive(&self, mut header: DirectiveHeader) -> Parsed<Part> {
        let argument = header.arguments.pop();
        if !header.arguments.is_empty() {
            return Err(
                self.bad_arguments(&header, "it has at most one argument, the scope of a loop")
            );
        }
        let (scope, source) = argument
            .map(|argument| (argument.value, argument.source))
            .unzip();
        Ok(Part::Break(BreakDirective {
            scope,
            source,
            position: self.position(header.token),
        }))
    }

    fn call(&self, header: DirectiveHeader, body: Option<Block>) -> Part {
        let name = match header.name.strip_prefix('@') {
            Some(_) if body.is_none() => return Part::Text(format!("#{}", header.name)),
            Some(name) => name.to_owned(),
            None => header.name,
        };
        let arguments = header.arguments.into_iter();
        let body = body.map(|body| {
            let name = "bodyContent".to_owned();
            Arc::new(DefineDirective {
                name,
                max_depth: MAX_MACRO_DEPTH,
                body,
            })
        });
        Part::Call(Arc::new(MacroCall {
            name,
            arguments: arguments
                .map(|DirectiveArgument { value, source, .. }| MacroArgument { value, source })
                .collect(),
            body,
            source: self.source(header.token),
            position: self.position(header.token),
        }))
    }
}
