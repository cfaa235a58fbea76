//! What `--fix` does: changes of the document, said by what they change, so that the rest of the file stays as it is.

mod all;
mod apply;
mod block;
mod depend_on;
mod document;
mod expected;
mod flow;
mod sites;

pub use all::{Fixed, fix_all};
pub use apply::{AppliedFixes, apply};
pub(crate) use depend_on::depend_on;
use stackgen_cfn::{Node, Span};
use stackgen_model::Resource;

/// A safe change that cures a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// What it does, in the imperative: `write the timeout as 29000`.
    pub title: String,
    /// The changes, all or none.
    pub edits: Vec<Edit>,
}

/// One change of a document. Spans are those of nodes in the file as it was parsed.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Another value in the place of the one that stands there.
    Replace {
        /// The value's own span.
        value: Span,
        /// What is written instead.
        with: Node,
    },
    /// A key and its value go.
    Remove {
        /// The key's span, or the value's where the key has none: what SAM's translation makes of a value has its place.
        key: Span,
    },
    /// A key comes at the end of a mapping.
    Insert {
        /// The span of a key that is in the mapping already.
        beside: Span,
        /// The new key.
        key: String,
        /// Its value.
        value: Node,
    },
    /// An element comes at the end of a list.
    Append {
        /// The span of an element that is in the list already.
        beside: Span,
        /// The new element.
        value: Node,
    },
}

impl Fix {
    /// A fix of several changes; `None` when they have no place in the file.
    pub(crate) fn all(title: impl Into<String>, edits: Option<Vec<Edit>>) -> Option<Fix> {
        Some(Fix {
            title: title.into(),
            edits: edits?,
        })
    }

    /// A fix of one change; `None` when that has no place in the file.
    pub(crate) fn one(title: impl Into<String>, edit: Option<Edit>) -> Option<Fix> {
        Some(Fix {
            title: title.into(),
            edits: vec![edit?],
        })
    }
}

/// Another value for a property that stands in the file; `None` where it does not.
pub(crate) fn replace(resource: &Resource, path: &[&str], with: impl Into<Node>) -> Option<Edit> {
    let value = resource.node(path)?.span;
    let with = with.into();
    value.file.map(|_| Edit::Replace { value, with })
}

/// A property goes; `None` where it does not stand in the file.
pub(crate) fn remove(resource: &Resource, path: &[&str]) -> Option<Edit> {
    let (last, owner) = path.split_last()?;
    let key = resource.node(owner)?.as_map()?.entry(last)?.key_span;
    key.file.map(|_| Edit::Remove { key })
}

/// A new property; `None` where the resource has none yet, or does not stand in the file.
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
