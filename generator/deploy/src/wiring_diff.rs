//! Differences between the wiring of a template and of an account.

use serde_json::{Map, Value as Json};
use stackgen_model::diff::{Diff, snapshots};

/// Start of a qualifier that names a version by its logical ID.
pub(crate) const VERSION: &str = "version ";

/// Returns the differences from a template's snapshot to an account's, without those that always exist: a template names
/// versions and roles by logical IDs.
pub(crate) fn differences(api: &str, template: &str, account: &str) -> Diff {
    let (template, account) = (masked(template), masked(account));
    snapshots(api, &template.to_string(), &account.to_string())
}

/// Returns the differences from a template's snapshot with the numbers of versions to an account's, without roles.
pub(crate) fn differences_with_versions(api: &str, template: &str, account: &str) -> Diff {
    let (template, account) = (
        masked_by(template, mask_roles),
        masked_by(account, mask_roles),
    );
    snapshots(api, &template.to_string(), &account.to_string())
}

/// Returns a snapshot in which all versions are equal, and all roles.
pub(crate) fn masked(snapshot: &str) -> Json {
    masked_by(snapshot, |map| {
        mask_version(map);
        mask_roles(map);
    })
}

/// Returns a snapshot after a change of each mapping.
fn masked_by(snapshot: &str, mask: impl Fn(&mut Map<String, Json>)) -> Json {
    let mut snapshot = serde_json::from_str(snapshot).unwrap_or(Json::Null);
    for_each_map(&mut snapshot, &mask);
    snapshot
}

fn for_each_map(json: &mut Json, change: &impl Fn(&mut Map<String, Json>)) {
    let Json::Object(map) = json else {
        return;
    };
    change(map);
    for value in map.values_mut() {
        for_each_map(value, change);
    }
}

fn mask_version(map: &mut Map<String, Json>) {
    if let Some(qualifier) = map.get_mut("Qualifier") {
        let text = qualifier.as_str().unwrap_or_default();
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number || text.starts_with(VERSION) {
            *qualifier = Json::from("a version");
        }
    }
}

fn mask_roles(map: &mut Map<String, Json>) {
    for key in ["CredentialsArn", "AuthorizerCredentialsArn"] {
        if let Some(role) = map.get_mut(key) {
            *role = Json::from("a role");
        }
    }
}

/// Returns a snapshot in which versions that a template names by logical IDs have their numbers, as far as they are known.
pub(crate) fn numbered_versions<'a>(
    snapshot: &str,
    number: impl Fn(&str) -> Option<&'a str>,
) -> String {
    let numbered = masked_by(snapshot, |map| {
        let Some(qualifier) = map.get_mut("Qualifier") else {
            return;
        };
        let id = qualifier
            .as_str()
            .and_then(|text| text.strip_prefix(VERSION));
        if let Some(number) = id.and_then(&number) {
            *qualifier = Json::from(number);
        }
    });
    numbered.to_string()
}
