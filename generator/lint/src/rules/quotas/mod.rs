//! Quotas.

use crate::registry::Group;

pub(super) const GROUP: Group = Group {
    name: "quotas",
    title: "Quotas",
    prefix: "SG6",
    rules: &[],
};
