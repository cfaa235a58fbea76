//! Routes that an HTTP API's OpenAPI body implies.

use crate::resource::Resource;

/// The routes, integrations and authorizers of an api's `Body`, as resources.
pub(super) fn implied(resource: &Resource) -> Vec<Resource> {
    let _ = resource;
    Vec::new()
}
