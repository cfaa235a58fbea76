//! From text to a located [`Node`].

mod error;
mod json;
mod position;
mod scalar;
mod syntax;
mod tag;
mod yaml;

pub use error::{ParseError, ParseErrorKind};
use position::Positions;

use crate::{Node, Source, Span};

/// The longest text that is read, in bytes. CloudFormation itself stops at 1 MB.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The deepest nesting that is read: mappings, lists and intrinsic functions within each other. Templates that CDK
/// synthesises stay under 30, and everything that walks a document may recurse this far on a small stack.
pub const MAX_DEPTH: usize = 64;

/// How many values the anchors of a document and their aliases may hold in all.
pub const MAX_ALIAS_NODES: usize = 100_000;

/// Reads a document: JSON if its first character is `{` or `[` and it is valid JSON, otherwise YAML 1.1 with
/// CloudFormation's tags. A byte order mark is skipped.
///
/// Scalars mean what [`crate::Value`] says. A scalar under an intrinsic function's tag is a string however it looks
/// (`!Ref 12`), and so is a key: `on: push` has the key `on`. A mapping whose only key is an intrinsic function's
/// long name is that [`crate::IntrinsicCall`]; `Ref` and `Condition` only when they map to a string.
///
/// # Errors
///
/// Every error of the document that can be told apart, in order, at least one. A syntax error ends the reading.
pub fn parse(source: &Source) -> Result<Node, Vec<ParseError>> {
    let whole = source.text();
    if whole.len() > MAX_BYTES {
        let span = Span {
            file: Some(source.id()),
            line: 1,
            column: 1,
            ..Span::default()
        };
        let bytes = whole.len();
        return Err(vec![ParseError::new(
            ParseErrorKind::TooLarge { bytes },
            span,
        )]);
    }
    let text = whole.strip_prefix('\u{FEFF}').unwrap_or(whole);
    let positions = Positions::new(text, source.id(), whole.len() - text.len());
    if !text.trim_start().starts_with(['{', '[']) {
        return yaml::read(text, &positions);
    }
    match json::read(text, &positions) {
        // Flow YAML also begins with a bracket. When it is neither, JSON is what it looks like.
        Err(errors) if is_syntax(&errors) => match yaml::read(text, &positions) {
            Err(others) if is_syntax(&others) => Err(errors),
            other => other,
        },
        result => result,
    }
}

fn is_syntax(errors: &[ParseError]) -> bool {
    errors
        .iter()
        .any(|error| matches!(error.kind, ParseErrorKind::Syntax { .. }))
}
