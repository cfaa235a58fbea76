//! Normalization of roles.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::{Canon, Naming};
use crate::resource::Resource;
use crate::{Grant, Model, Resolved, Text};

/// Replaces policies by their statements: tools distribute the same statements over different policies. A diff also
/// keeps the names of the policies.
pub(super) fn normalize(
    model: &Model,
    resource: &Resource,
    canon: &Canon,
    content: &mut Map<String, Json>,
) {
    let Some(role) = model.role(&resource.logical_id) else {
        return;
    };
    let policies = content.remove("Policies");
    if canon.names.naming == Naming::Physical
        && let Some(Json::Array(policies)) = policies
    {
        let names = policies
            .iter()
            .filter_map(|policy| policy.get("PolicyName").cloned());
        content.insert("PolicyNames".to_owned(), names.collect());
    }
    let mut grants = merged(&role.grants, canon);
    let unknown = role.unknown.iter().cloned().map(Resolved::Unknown);
    grants.extend(unknown.map(|unknown| canon.value(&unknown)));
    content.insert("Grants".to_owned(), sorted(grants));
    if let Some(Json::Array(arns)) = content.remove("ManagedPolicyArns") {
        content.insert("ManagedPolicyArns".to_owned(), sorted(arns));
    }
}

/// Merges statements into one per resource, effect and condition, with all its actions: equal statements can be split
/// in many ways.
fn merged(grants: &[Grant], canon: &Canon) -> Vec<Json> {
    let texts = |texts: &[Text]| -> BTreeSet<String> {
        texts.iter().map(|text| canon.text(text)).collect()
    };
    let mut merged: BTreeMap<String, (Map<String, Json>, BTreeSet<String>)> = BTreeMap::new();
    for grant in grants {
        let mut rest = Map::new();
        if let Some(condition) = &grant.condition {
            rest.insert("Condition".to_owned(), canon.value(condition));
        }
        if let Some(effect) = &grant.effect {
            rest.insert("Effect".to_owned(), Json::from(canon.text(effect)));
        }
        for (key, list) in [
            ("NotAction", &grant.not_actions),
            ("NotResource", &grant.not_resources),
        ] {
            if !list.is_empty() {
                rest.insert(key.to_owned(), texts(list).into_iter().collect());
            }
        }
        let resources = texts(&grant.resources).into_iter().map(Some);
        let none = grant.resources.is_empty().then_some(None);
        for resource in resources.chain(none) {
            let mut entry = rest.clone();
            if let Some(resource) = resource {
                entry.insert("Resource".to_owned(), vec![resource].into());
            }
            let key = Json::Object(entry.clone()).to_string();
            let (_, actions) = merged.entry(key).or_insert((entry, BTreeSet::new()));
            actions.extend(texts(&grant.actions));
        }
    }
    let finish = |(mut entry, actions): (Map<String, Json>, BTreeSet<String>)| {
        if !actions.is_empty() {
            entry.insert("Action".to_owned(), actions.into_iter().collect());
        }
        Json::Object(entry)
    };
    merged.into_values().map(finish).collect()
}

fn sorted(mut items: Vec<Json>) -> Json {
    items.sort_by_cached_key(Json::to_string);
    items.dedup();
    Json::Array(items)
}
