//! Strict JSON parser (RFC 8259).

use jsonc_parser::ast::{ObjectProp, Value as Ast};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind as JsonErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, parse_to_ast};

use super::position::Positions;
use super::{MAX_DEPTH, ParseError, ParseErrorKind};
use crate::{Entry, IntrinsicCall, Map, Node, Value};

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Parses a JSON document.
pub(super) fn read(text: &str, positions: &Positions<'_>) -> Result<Node, Vec<ParseError>> {
    // jsonc-parser stops at 512 levels, so its recursion is bounded too.
    let result = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
        let (at, kind) = match error.kind() {
            JsonErrorKind::NestingDepthExceeded => (too_deep(text), ParseErrorKind::TooDeep),
            kind => (error.range().start, syntax(kind)),
        };
        vec![ParseError::new(kind, positions.span(at, at + 1))]
    })?;
    let Some(ast) = result.value else {
        return Err(vec![ParseError::new(
            ParseErrorKind::Empty,
            positions.span(0, 0),
        )]);
    };
    let mut reader = Reader {
        text,
        positions,
        errors: Vec::new(),
    };
    match reader.node(ast, 0) {
        Ok(node) if reader.errors.is_empty() => Ok(node),
        Ok(_) => Err(reader.errors),
        Err(error) => {
            reader.errors.push(error);
            Err(reader.errors)
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    positions: &'a Positions<'a>,
    errors: Vec<ParseError>,
}

impl Reader<'_> {
    fn node(&mut self, ast: Ast<'_>, depth: usize) -> Result<Node, ParseError> {
        let range = ast.range();
        let span = self.positions.span(range.start, range.end);
        if depth == MAX_DEPTH && matches!(ast, Ast::Object(_) | Ast::Array(_)) {
            let bracket = self.positions.span(range.start, range.start + 1);
            return Err(ParseError::new(ParseErrorKind::TooDeep, bracket));
        }
        let value = match ast {
            Ast::StringLit(literal) => {
                Value::String(self.string(literal.value.into_owned(), literal.range)?)
            }
            Ast::NumberLit(literal) => number(literal.value),
            Ast::BooleanLit(literal) => Value::Bool(literal.value),
            Ast::NullKeyword(_) => Value::Null,
            Ast::Array(array) => {
                let items = array
                    .elements
                    .into_iter()
                    .map(|item| self.node(item, depth + 1));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Ast::Object(object) => {
                let mut map = Map::new();
                for property in object.properties {
                    self.property(&mut map, property, depth + 1)?;
                }
                IntrinsicCall::fold(map)
            }
        };
        Ok(Node::new(value).at(span))
    }

    fn property(
        &mut self,
        map: &mut Map,
        property: ObjectProp<'_>,
        depth: usize,
    ) -> Result<(), ParseError> {
        let range = property.name.range();
        let key_span = self.positions.span(range.start, range.end);
        let key = self.string(property.name.into_string(), range)?;
        let first = map.entry(&key).map(|entry| entry.key_span);
        if first.is_some() {
            self.errors.push(ParseError {
                kind: ParseErrorKind::DuplicateKey(key.clone()),
                span: key_span,
                related: first,
            });
        }
        let node = self.node(property.value, depth)?;
        if first.is_none() {
            map.insert_entry(key, Entry { key_span, node });
        }
        Ok(())
    }

    /// Returns the string, or an error if its source contains an unescaped control character. JSON forbids those, and
    /// YAML folds line breaks, so the two would differ.
    fn string(
        &self,
        value: String,
        range: jsonc_parser::common::Range,
    ) -> Result<String, ParseError> {
        let source = &self.text.as_bytes()[range.start..range.end];
        match source.iter().position(|&byte| byte < b' ') {
            None => Ok(value),
            Some(at) => {
                let at = range.start + at;
                let kind = ParseErrorKind::Syntax {
                    message: "a control character in a string".to_owned(),
                    hint: Some("write it as an escape, such as `\\n` or `\\t`"),
                };
                Err(ParseError::new(kind, self.positions.span(at, at + 1)))
            }
        }
    }
}

/// Returns the value of a number. A whole number that does not fit and an infinite number stay strings.
fn number(text: &str) -> Value {
    let is_whole = !text.contains(['.', 'e', 'E']);
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(value), _) => Value::Int(value),
        (_, Ok(value)) if !is_whole && value.is_finite() => Value::Float(value),
        _ => Value::String(text.to_owned()),
    }
}

/// Returns the offset of the first bracket that exceeds the depth limit, in a text that is valid JSON up to there.
fn too_deep(text: &str) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return at;
        }
    }
    0
}

fn syntax(error: &JsonErrorKind) -> ParseErrorKind {
    let (message, hint) = match error {
        JsonErrorKind::CommentsNotAllowed => {
            ("JSON has no comments", Some("remove it, or write YAML"))
        }
        JsonErrorKind::ExpectedColonAfterObjectKey => ("expected `:` after the key", None),
        JsonErrorKind::ExpectedComma => ("expected `,` here", None),
        JsonErrorKind::MultipleRootJsonValues => {
            ("text follows the end of the document", Some("remove it"))
        }
        JsonErrorKind::TrailingCommasNotAllowed => {
            ("nothing follows this comma", Some("remove it"))
        }
        JsonErrorKind::UnterminatedObject => {
            ("this brace is never closed", Some("add the missing `}`"))
        }
        JsonErrorKind::UnterminatedArray => {
            ("this bracket is never closed", Some("add the missing `]`"))
        }
        JsonErrorKind::String(ParseStringErrorKind::UnterminatedStringLiteral) => {
            ("this string is never closed", Some("add the missing `\"`"))
        }
        JsonErrorKind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => (
            "this escape is not a Unicode character",
            Some("escape both halves of a surrogate pair"),
        ),
        other => {
            let message = other.to_string();
            let lower = message.chars().take(1).flat_map(char::to_lowercase);
            return ParseErrorKind::Syntax {
                message: lower.chain(message.chars().skip(1)).collect(),
                hint: None,
            };
        }
    };
    ParseErrorKind::Syntax {
        message: message.to_owned(),
        hint,
    }
}
