//! Fixes: edits of single nodes, so that the rest of the file stays unchanged.

mod apply;
mod block;
mod depend_on;
mod document;
mod edits;
mod expected;
mod flow;
mod sites;

pub use apply::{AppliedFixes, apply};
pub(crate) use depend_on::depend_on;
use stackgen_cfn::{Node, Span};
use stackgen_model::Resource;

/// A safe change that fixes a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// Imperative description: `write the timeout as 29000`.
    pub title: String,
    /// Edits, which are applied together or not at all.
    pub edits: Vec<Edit>,
}

/// One edit of a document. Spans refer to the parsed file.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Replaces a value.
    Replace {
        /// Span of the value.
        value: Span,
        /// New value.
        with: Node,
    },
    /// Removes a key and its value.
    Remove {
        /// Span of the key, or of the value for a key that SAM's transform generates.
        key: Span,
    },
    /// Adds a key at the end of a mapping.
    Insert {
        /// Span of an existing key of the mapping.
        beside: Span,
        /// New key.
        key: String,
        /// New value.
        value: Node,
    },
    /// Adds an element at the end of a list.
    Append {
        /// Span of an existing element of the list.
        beside: Span,
        /// New element.
        value: Node,
    },
}

impl Fix {
    /// Creates a fix of several edits, or `None` without edits.
    pub(crate) fn all(title: impl Into<String>, edits: Option<Vec<Edit>>) -> Option<Fix> {
        Some(Fix {
            title: title.into(),
            edits: edits?,
        })
    }

    /// Creates a fix of one edit, or `None` without an edit.
    pub(crate) fn one(title: impl Into<String>, edit: Option<Edit>) -> Option<Fix> {
        Some(Fix {
            title: title.into(),
            edits: vec![edit?],
        })
    }
}

/// Returns an edit that replaces a property, or `None` if the property is not in the file.
pub(crate) fn replace(resource: &Resource, path: &[&str], with: impl Into<Node>) -> Option<Edit> {
    let value = resource.node(path)?.span;
    let with = with.into();
    value.file.map(|_| Edit::Replace { value, with })
}

/// Returns an edit that removes a property, or `None` if the property is not in the file.
pub(crate) fn remove(resource: &Resource, path: &[&str]) -> Option<Edit> {
    let (last, owner) = path.split_last()?;
    let key = resource.node(owner)?.as_map()?.entry(last)?.key_span;
    key.file.map(|_| Edit::Remove { key })
}

/// Returns an edit that adds a property, or `None` if the owner is empty or not in the file.
pub(crate) fn insert(
    resource: &Resource,
    owner: &[&str],
    key: &str,
    value: impl Into<Node>,
) -> Option<Edit> {
    let (_, last) = resource.node(owner)?.as_map()?.entries().next_back()?;
    let beside = last.key_span;
    beside.file.map(|_| Edit::Insert {
        beside,
        key: key.to_owned(),
        value: value.into(),
    })
}
