//! Does an API exceed a quota (row L6)?

use std::sync::Arc;

use stackgen_model::{Api, Resource};

use super::presence::exists_with_api;
use crate::{Finding, Location, Rule};

/// Reports the first resource beyond the quota of an API.
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
    let message = format!("{name} has {number} {what}, but the quota is {quota}");
    let finding = Finding::new(rule, Location::of(first, &[]), message)
        .hint("reduce their number, or raise the quota of this API before you deploy it");
    Some(match &api.resource {
        Some(api) => finding.related(Location::of(api, &[]), "the API"),
        None => finding,
    })
}
