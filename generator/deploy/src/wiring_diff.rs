//! Differences between the wiring of a template and of an account.

use serde_json::{Map, Value as Json};
use stackgen_model::diff::{Diff, snapshots};

/// Returns the differences from a template's snapshot to an account's, without those that always exist.
pub(crate) fn differences(api: &str, template: &str, account: &str) -> Diff {
    let (template, account) = (masked(template), masked(account));
    snapshots(api, &template.to_string(), &account.to_string())
}

/// Returns a snapshot in which all versions are equal, and all roles.
pub(crate) fn masked(snapshot: &str) -> Json {
    let mut snapshot = serde_json::from_str(snapshot).unwrap_or(Json::Null);
    mask(&mut snapshot);
    snapshot
}

fn mask(json: &mut Json) {
    let Json::Object(map) = json else {
        return;
    };
    mask_map(map);
    for value in map.values_mut() {
        mask(value);
    }
}

fn mask_map(map: &mut Map<String, Json>) {
    if let Some(qualifier) = map.get_mut("Qualifier") {
        let text = qualifier.as_str().unwrap_or_default();
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || text.starts_with("version ") {
            *qualifier = Json::from("a version");
        }
    }
    for key in ["CredentialsArn", "AuthorizerCredentialsArn"] {
        if let Some(role) = map.get_mut(key) {
            *role = Json::from("a role");
        }
    }
}
