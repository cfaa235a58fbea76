//! What can be wrong with a document.

use thiserror::Error;

use super::{MAX_ALIAS_NODES, MAX_BYTES, MAX_DEPTH};
use crate::Span;

/// One thing wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct ParseError {
    /// What is wrong.
    pub kind: ParseErrorKind,
    /// Where.
    pub span: Span,
    /// A second place that explains the first, such as the first of two equal keys.
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

    /// What to do about it, when there is something to say.
    pub fn hint(&self) -> Option<String> {
        self.kind.hint()
    }
}

/// The kinds of error.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseErrorKind {
    /// The text is neither YAML nor JSON.
    #[error("{message}")]
    Syntax {
        /// What the reader met.
        message: String,
        /// What usually causes it.
        hint: Option<&'static str>,
    },
    /// Nothing but blanks and comments.
    #[error("the document is empty")]
    Empty,
    /// More than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes; the limit is {MAX_BYTES}")]
    TooLarge {
        /// How many it has.
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
    /// A tag that is no intrinsic function's.
    #[error("unknown tag `{tag}`")]
    UnknownTag {
        /// As written.
        tag: String,
        /// The intrinsic function's tag that is spelled most alike.
        nearest: Option<String>,
    },
    /// A core tag, such as `!!int`, on something that it does not describe.
    #[error("`{tag}` does not match its value, which is {found}")]
    TagMismatch {
        /// As written.
        tag: String,
        /// What it stands on.
        found: String,
    },
    /// `<<`.
    #[error("merge keys (`<<`) are not supported")]
    MergeKey,
    /// A mapping without a key before the colon, or with `null` there.
    #[error("a key cannot be null")]
    NullKey,
    /// A list or a mapping, or something tagged, before the colon.
    #[error("a key must be a string")]
    ComplexKey,
    /// An alias inside the node that it repeats.
    #[error("this alias refers to a node that contains it")]
    RecursiveAlias,
    /// Anchors and aliases that hold more than [`MAX_ALIAS_NODES`] values or [`MAX_BYTES`] of text.
    #[error(
        "anchors and aliases expand to more than {MAX_ALIAS_NODES} values or {MAX_BYTES} bytes of text"
    )]
    AliasExpansion,
}

impl ParseErrorKind {
    /// What to do about it, when there is something to say.
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
                "remove or rename one of the two; readers silently keep only one"
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
