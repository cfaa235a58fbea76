//! What functions may do, what they are told, and what they keep.

use crate::registry::Group;

pub(super) const GROUP: Group = Group {
    name: "access",
    title: "What functions may do, what they are told, and what they keep",
    prefix: "SG5",
    rules: &[],
};
