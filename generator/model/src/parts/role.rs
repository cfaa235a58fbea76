//! Roles in comparable form.

use serde_json::{Map, Value as Json};

use super::{Canon, Naming};
use crate::resource::Resource;
use crate::{Model, Text};

/// Puts the statements of all policies in the place of the policies: tools spread the same statements over
/// policies of their own. A diff keeps the policies' names too.
pub(super) fn normalise(
    model: &Model,
    resource: &Resource,
    canon: &Canon,
    content: &mut Map<String, Json>,
) {
    let Some(role) = model
        .roles
        .iter()
        .find(|role| role.resource.logical_id == resource.logical_id)
    else {
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
    let texts = |texts: &[Text]| {
        sorted(
            texts
                .iter()
                .map(|text| Json::from(canon.text(text)))
                .collect(),
        )
    };
    let mut grants = Vec::new();
    for grant in &role.grants {
        let mut entry = Map::new();
        let lists = [
            ("Action", &grant.actions),
            ("NotAction", &grant.not_actions),
            ("Resource", &grant.resources),
            ("NotResource", &grant.not_resources),
        ];
        for (key, list) in lists {
            if !list.is_empty() {
                entry.insert(key.to_owned(), texts(list));
            }
        }
        if let Some(effect) = &grant.effect {
            entry.insert("Effect".to_owned(), Json::from(canon.text(effect)));
        }
        if let Some(condition) = &grant.condition {
            entry.insert("Condition".to_owned(), canon.value(condition));
        }
        grants.push(Json::Object(entry));
    }
    grants.extend(
        role.unknown
            .iter()
            .map(|unknown| canon.value(&crate::Resolved::Unknown(unknown.clone()))),
    );
    content.insert("Grants".to_owned(), sorted(grants));
    if let Some(Json::Array(arns)) = content.remove("ManagedPolicyArns") {
        content.insert("ManagedPolicyArns".to_owned(), sorted(arns));
    }
}

fn sorted(mut items: Vec<Json>) -> Json {
    items.sort_by_cached_key(Json::to_string);
    items.dedup();
    Json::Array(items)
}
