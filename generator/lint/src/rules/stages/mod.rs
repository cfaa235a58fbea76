//! Deployments, stages and domains.

use crate::registry::Group;

pub(super) const GROUP: Group = Group {
    name: "stages",
    title: "Deployments, stages and domains",
    prefix: "SG4",
    rules: &[],
};
