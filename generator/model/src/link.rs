//! Links between parts of the model.

use serde::Serialize;

use crate::{LogicalId, Text, Unknown};

/// The resource that a property names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// A resource of this template.
    To(LogicalId),
    /// A resource outside of the template, by ARN or ID.
    External(Text),
    /// Unknown.
    Unknown(Unknown),
    /// The property is absent.
    #[default]
    Missing,
}

impl Link {
    /// Returns the resource, if it is one of this template.
    pub fn to(&self) -> Option<&LogicalId> {
        match self {
            Link::To(id) => Some(id),
            _ => None,
        }
    }

    /// Returns the link of a text that names no resource of the template.
    pub(crate) fn elsewhere(text: Option<Text>) -> Link {
        match text {
            None => Link::Missing,
            Some(text) => match text.unknown() {
                Some(unknown) => Link::Unknown(unknown.clone()),
                None => Link::External(text),
            },
        }
    }
}

/// A link to a function, or to one of its versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FunctionLink {
    /// The function.
    pub function: Link,
    /// The qualifier. `None` is an unqualified reference, whose code is live without a deployment (row D2).
    pub qualifier: Option<Qualifier>,
}

/// Qualifier of a function.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Qualifier {
    /// A version of this template.
    Version(LogicalId),
    /// An alias of this template.
    Alias(LogicalId),
    /// The number of a version or the name of an alias.
    Named(Text),
}
