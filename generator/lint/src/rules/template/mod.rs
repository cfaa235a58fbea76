//! The template itself, and what it says to the linter.

use crate::registry::Group;

pub(super) const GROUP: Group = Group {
    name: "template",
    title: "The template itself, and what it says to the linter",
    prefix: "SG0",
    rules: &[],
};
