//! Parses text to a [`Node`] with spans.

mod error;
mod flow;
mod json;
mod position;
mod scalar;
mod syntax;
mod tag;
mod yaml;

pub use error::{ParseError, ParseErrorKind};
use position::Positions;

use crate::{Node, Source, Span};

/// Maximum length of a text in bytes. CloudFormation's limit is 1 MB.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Maximum nesting of mappings, lists and intrinsic functions. Templates that CDK synthesises have fewer than 30
/// levels, and functions that walk a document can recurse this deep on a small stack.
pub const MAX_DEPTH: usize = 64;

/// Maximum number of values in all anchors and aliases of a document.
pub const MAX_ALIAS_NODES: usize = 100_000;

/// Parses a document: JSON if its first character is `{` or `[` and it is valid JSON, otherwise YAML 1.1 with
/// CloudFormation's tags. A byte order mark is skipped.
///
/// Scalars have the types of [`crate::Value`]. A scalar with an intrinsic function's tag is always a string (`!Ref
/// 12`), and so is a key: `on: push` has the key `on`. A mapping whose only key is an intrinsic function's long name
/// becomes an [`crate::IntrinsicCall`]; `Ref` and `Condition` only if they map to a string.
///
/// # Errors
///
/// Returns all independent errors of the document, at least one, in order. A syntax error stops the parser.
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
        // Flow YAML also begins with a bracket. If the text is neither, report the errors of JSON.
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
