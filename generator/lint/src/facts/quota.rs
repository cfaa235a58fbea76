//! How many of a thing an api may have (row L6).

use std::sync::Arc;

use stackgen_model::{Api, Resource};

use super::presence::exists_with_api;
use crate::{Finding, Location, Rule};

/// A finding when an api has more of a thing than its quota, at the first that is too much.
pub(crate) fn over_quota<'a>(
    rule: &'static Rule,
    api: &'a Api,
    what: &str,
    quota: usize,
    resources: impl Iterator<Item = &'a Arc<Resource>> + Clone,
) -> Option<Finding> {
    let resources = resources.filter(|resource| exists_with_api(api, resource));
    let first = resources.clone().nth(quota)?;
    let number = resources.count();
    let name = match &api.resource {
        Some(resource) => format!("API {}", resource.logical_id),
        None => "the API".to_owned(),
    };
    let message = format!("{name} has {number} {what}, and the quota is {quota}");
    let finding = Finding::new(rule, Location::of(first, &[]), message)
        .hint("have fewer of them, or have the quota of this API raised before it is deployed");
    Some(match &api.resource {
        Some(api) => finding.related(Location::of(api, &[]), "the API"),
        None => finding,
    })
}
