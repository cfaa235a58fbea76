//! The rules, a folder a group.

mod access;
mod authorizers;
mod integrations;
mod quotas;
mod routes;
mod stages;
mod template;

use crate::registry::Group;

/// In the order of their ids.
pub(crate) const GROUPS: &[Group] = &[
    template::GROUP,
    authorizers::GROUP,
    routes::GROUP,
    integrations::GROUP,
    stages::GROUP,
    access::GROUP,
    quotas::GROUP,
];
