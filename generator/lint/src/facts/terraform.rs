//! Resources that were read from a Terraform configuration.

use stackgen_model::{Resolved, Resource};

/// Returns true for a resource of a Terraform configuration.
pub(crate) fn is_terraform(resource: &Resource) -> bool {
    metadata(resource, "Address").is_some()
}

/// Returns true for a deployment of a Terraform configuration with `triggers` or `replace_triggered_by`, whose changes replace it.
pub(crate) fn has_triggers(resource: &Resource) -> bool {
    matches!(
        metadata(resource, "HasTriggers"),
        Some(Resolved::Bool(true))
    )
}

fn metadata<'r>(resource: &'r Resource, key: &str) -> Option<&'r Resolved> {
    resource
        .attributes
        .get("Metadata")?
        .get("Terraform")?
        .get(key)
}
