//! Fields of lines.

use std::borrow::Cow;

/// A field of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineField<'m> {
    /// The name. Names of nested objects are joined by dots.
    pub name: Cow<'m, str>,
    /// The value as text.
    pub value: Cow<'m, str>,
}
