//! Integrations, and who may call their functions.

use crate::registry::Group;

pub(super) const GROUP: Group = Group {
    name: "integrations",
    title: "Integrations, and who may call their functions",
    prefix: "SG3",
    rules: &[],
};
