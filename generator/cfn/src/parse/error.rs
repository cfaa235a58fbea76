//! Errors of the parser.

use thiserror::Error;

use super::{MAX_ALIAS_NODES, MAX_BYTES, MAX_DEPTH};
use crate::Span;

/// Error in a document, with its location.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct ParseError {
    /// Kind of the error.
    pub kind: ParseErrorKind,
    /// Location of the error.
    pub span: Span,
    /// Second location that explains the first, such as the first of two equal keys.
    pub related: Option<Span>,
}

impl ParseError {
    pub(super) fn new(kind: ParseErrorKind, span: Span) -> Self {
        ParseError {
            kind,
            span,
            related: None,
        }
    }

    /// Returns a hint, if there is one.
    pub fn hint(&self) -> Option<String> {
        self.kind.hint()
    }
}

/// Kind of a [`ParseError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseErrorKind {
    /// The text is neither YAML nor JSON.
    #[error("{message}")]
    Syntax {
        /// Message of the error.
        message: String,
        /// Hint about the usual cause.
        hint: Option<&'static str>,
    },
    /// Only blanks and comments.
    #[error("the document is empty")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes; the limit is {MAX_BYTES}")]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// A second YAML document in the file.
    #[error("a second document begins here")]
    MultipleDocuments,
    /// A key that the mapping already has.
    #[error("the key `{0}` is already used in this mapping")]
    DuplicateKey(String),
    /// A tag that is not an intrinsic function.
    #[error("unknown tag `{tag}`")]
    UnknownTag {
        /// The tag in the source.
        tag: String,
        /// The most similar tag of an intrinsic function.
        nearest: Option<String>,
    },
    /// A core tag, such as `!!int`, on a value of another type.
    #[error("`{tag}` does not match its value, which is {found}")]
    TagMismatch {
        /// The tag in the source.
        tag: String,
        /// Type of the tagged value.
        found: String,
    },
    /// `<<`.
    #[error("merge keys (`<<`) are not supported")]
    MergeKey,
    /// No key or `null` before the colon.
    #[error("a key cannot be null")]
    NullKey,
    /// A list, a mapping or a tagged value before the colon.
    #[error("a key must be a string")]
    ComplexKey,
    /// An alias inside the node that it refers to.
    #[error("this alias refers to a node that contains it")]
    RecursiveAlias,
    /// Anchors and aliases that expand to more than [`MAX_ALIAS_NODES`] values or [`MAX_BYTES`] of text.
    #[error(
        "anchors and aliases expand to more than {MAX_ALIAS_NODES} values or {MAX_BYTES} bytes of text"
    )]
    AliasExpansion,
}

impl ParseErrorKind {
    /// Returns a hint, if there is one.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            ParseErrorKind::Syntax { hint, .. } => return hint.map(str::to_owned),
            ParseErrorKind::UnknownTag { nearest, .. } => match nearest {
                Some(tag) => return Some(format!("did you mean `{tag}`?")),
                None => {
                    "quote the text if it should begin with `!`; only intrinsic functions are tags"
                }
            },
            ParseErrorKind::Empty => "write at least one key; `{}` is an empty mapping",
            ParseErrorKind::TooLarge { .. } => {
                "check that this is the right file; CloudFormation accepts at most 1 MB"
            }
            ParseErrorKind::TooDeep => {
                "flatten the document, or look for a bracket that is never closed"
            }
            ParseErrorKind::MultipleDocuments => {
                "keep one document in a file and remove the `---` before this one"
            }
            ParseErrorKind::DuplicateKey(_) => {
                "remove or rename one of the two; parsers silently keep only one"
            }
            ParseErrorKind::TagMismatch { .. } => "remove the tag, or change the value",
            ParseErrorKind::MergeKey => "write the merged keys out, as CloudFormation needs them",
            ParseErrorKind::NullKey => {
                "write the key before the colon; quote it if it should be the text `null`"
            }
            ParseErrorKind::ComplexKey => "quote the key",
            ParseErrorKind::RecursiveAlias => "write the value out instead of the alias",
            ParseErrorKind::AliasExpansion => "write the values out instead of the aliases",
        };
        Some(hint.to_owned())
    }
}
