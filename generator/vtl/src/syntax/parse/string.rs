//! Strings. Those in double quotes are templates of their own.

use std::sync::Arc;

use super::super::tree::Expr;
use super::{Parsed, Parser, parse_nested};
use crate::error::{SyntaxProblem, TemplateError};

impl Parser {
    pub(super) fn string_literal(&mut self, token: usize) -> Parsed<Expr> {
        if self.speculative {
            return Ok(Expr::Nothing(String::new()));
        }
        let image = self.image(token);
        let mut chars = image.chars();
        let quote = chars.next().unwrap_or('"');
        chars.next_back();
        let content = chars.as_str();
        let interpolated = quote == '"' && image.contains(['$', '#']);
        let unescaped = match quote {
            '"' => self.unescape(content, token)?,
            _ => content.to_owned(),
        };
        let text = match quote {
            '"' => unescaped.replace("\"\"", "\""),
            '\'' => unescaped.replace("''", "'"),
            // The lexer accepts a `#` before the quote.
            _ => unescaped,
        };
        if !interpolated {
            return Ok(Expr::Text(text));
        }
        // Velocity adds a blank, so that a `$` or `#` at the end is text, and cuts it off the result. After a line comment it
        // would be part of the comment.
        let has_padding = !text.contains("##");
        let template = if has_padding { text + " " } else { text };
        let position = self.position(token);
        let names = Arc::clone(&self.macro_names);
        let depth = self.depth;
        let parsed = self.nested(|_| parse_nested(&template, names, depth + 1));
        let parsed = parsed.map_err(|error| TemplateError { position, ..error })?;
        for definition in parsed.macros {
            Arc::make_mut(&mut self.macro_names).insert(definition.name.clone());
            self.macros.push(definition);
        }
        Ok(Expr::Interpolated {
            body: parsed.body,
            has_padding,
        })
    }

    /// Replaces `\u0041`. Other escapes stay, because references have their own.
    fn unescape(&self, content: &str, token: usize) -> Parsed<String> {
        let mut parts = content.split("\\u");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let unit = part
                .get(..4)
                .and_then(|digits| u16::from_str_radix(digits, 16).ok());
            let unit = unit.ok_or_else(|| TemplateError {
                position: self.position(token),
                problem: SyntaxProblem::UnicodeEscape,
            })?;
            // Half of a surrogate pair has no character in Rust.
            text.push(char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER));
            text.push_str(&part[4..]);
        }
        Ok(text)
    }
}
