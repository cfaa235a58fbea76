//! From one thing of the model to another.

use serde::Serialize;

use crate::{LogicalId, Text, Unknown};

/// What a property names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// A resource of this template.
    To(LogicalId),
    /// Something outside of it: an ARN or an id.
    External(Text),
    /// Not known.
    Unknown(Unknown),
    /// The property is absent.
    #[default]
    Missing,
}

impl Link {
    /// The resource of this template.
    pub fn to(&self) -> Option<&LogicalId> {
        match self {
            Link::To(id) => Some(id),
            _ => None,
        }
    }

    /// What a text names that no resource of the expected type is known for.
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

/// What calls a function: the function, and which of its versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FunctionLink {
    /// The function.
    pub function: Link,
    /// Which version of it; `None` for an unqualified reference, whose code is live without a deployment (row D2).
    pub qualifier: Option<Qualifier>,
}

/// What stands after a function's name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Qualifier {
    /// A version of this template.
    Version(LogicalId),
    /// An alias of this template.
    Alias(LogicalId),
    /// A version number or an alias by name.
    Named(Text),
}
