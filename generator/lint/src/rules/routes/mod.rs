//! Routes.

use crate::registry::Group;

pub(super) const GROUP: Group = Group {
    name: "routes",
    title: "Routes",
    prefix: "SG2",
    rules: &[],
};
