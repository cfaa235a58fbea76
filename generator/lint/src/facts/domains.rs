//! Custom domains that lead to WebSocket APIs.

use std::collections::HashMap;

use stackgen_model::{ApiMapping, DomainName, LogicalId};

use crate::context::Context;

/// The domains of the template that a WebSocket API is mapped to, each with the first mapping.
pub(crate) fn of_websockets<'a>(context: &Context<'a>) -> Vec<(&'a DomainName, &'a ApiMapping)> {
    let mut mapped: HashMap<&LogicalId, &ApiMapping> = HashMap::new();
    for mapping in context.websockets().flat_map(|api| &api.mappings) {
        if let Some(domain) = mapping.domain.to() {
            mapped.entry(domain).or_insert(mapping);
        }
    }
    let domains = context.model.domain_names.iter();
    domains
        .filter_map(|domain| Some((domain, *mapped.get(&domain.resource.logical_id)?)))
        .collect()
}
