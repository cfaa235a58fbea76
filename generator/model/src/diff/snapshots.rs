//! Differences between two snapshots.

use serde_json::{Map, Value as Json};

use super::values::differences;
use super::{ChangeKind, ChangeSubject, Diff, ModelChange};
use crate::parts::ChangeEffect;

/// Compares two snapshots of an API in the canonical form of [`crate::Api::snapshot`]. The diff is empty if and only if
/// their digests are equal. Any other text counts as an empty snapshot.
pub fn snapshots(api: &str, before: &str, after: &str) -> Diff {
    let read = |text: &str| serde_json::from_str::<Map<String, Json>>(text).unwrap_or_default();
    let (mut before, mut after) = (read(before), read(after));
    let mut changes = Vec::new();
    for (section, kind) in SECTIONS {
        let take = |snapshot: &mut Map<String, Json>| match snapshot.remove(section) {
            Some(Json::Object(parts)) => parts,
            _ => Map::new(),
        };
        let (before, after) = (take(&mut before), take(&mut after));
        let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
        let gone = gone.map(|(name, _)| snapshot_change(api, kind, name, ChangeKind::Removed));
        changes.extend(gone.collect::<Vec<_>>());
        for (name, after) in &after {
            match (before.get(name), after) {
                (Some(Json::Object(before)), Json::Object(after)) => {
                    changes.extend(changed(api, kind, name, before, after));
                }
                _ => changes.push(snapshot_change(api, kind, name, ChangeKind::Added)),
            }
        }
    }
    changes.extend(changed(api, "api", api, &before, &after));
    Diff {
        changes,
        apis: Vec::new(),
    }
}

const SECTIONS: [(&str, &str); 4] = [
    ("Routes", "route"),
    ("Integrations", "integration"),
    ("Authorizers", "authorizer"),
    ("Models", "model"),
];

fn changed(
    api: &str,
    kind: &str,
    name: &str,
    before: &Map<String, Json>,
    after: &Map<String, Json>,
) -> Vec<ModelChange> {
    let differences = differences(before, after).into_iter();
    let changed = differences.map(|difference| ChangeKind::Changed {
        field: difference.path,
        before: difference.before,
        after: difference.after,
    });
    changed
        .map(|change| snapshot_change(api, kind, name, change))
        .collect()
}

fn snapshot_change(api: &str, part: &str, name: &str, kind: ChangeKind) -> ModelChange {
    ModelChange {
        subject: ChangeSubject {
            kind: part.to_owned(),
            name: name.to_owned(),
            api: Some(api.to_owned()),
        },
        kind,
        effect: ChangeEffect::Wiring,
    }
}
