//! Finds the custom domains of WebSocket APIs.

use std::collections::HashMap;

use stackgen_model::{ApiMapping, DomainName, LogicalId};

use crate::facts::Facts;

/// Returns the template's domains with a mapping to a WebSocket API, each with the first mapping.
pub(crate) fn mapped_domains<'a>(facts: &Facts<'a>) -> Vec<(&'a DomainName, &'a ApiMapping)> {
    let mut mapped: HashMap<&LogicalId, &ApiMapping> = HashMap::new();
    for mapping in facts.websockets().flat_map(|api| &api.mappings) {
        if let Some(domain) = mapping.domain.to() {
            mapped.entry(domain).or_insert(mapping);
        }
    }
    let domains = facts.model.domain_names.iter();
    domains
        .filter_map(|domain| Some((domain, *mapped.get(&domain.resource.logical_id)?)))
        .collect()
}
