//! Changes of global secondary indexes. An update of a table can add or delete one index, and cannot change the key or the
//! projection of one.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::values::Difference;
use crate::parts::ChangeEffect;

/// Property of tables.
const INDEXES: &str = "GlobalSecondaryIndexes";
/// Properties of an index that updates can change.
const SETTINGS: [&str; 4] = [
    "ContributorInsightsSpecification",
    "OnDemandThroughput",
    "ProvisionedThroughput",
    "WarmThroughput",
];

/// Changed indexes of a table, by name.
#[derive(Debug, Default)]
pub(super) struct IndexChanges {
    removed: BTreeSet<String>,
    added: BTreeSet<String>,
    /// Indexes of which only settings change.
    set: BTreeSet<String>,
}

impl IndexChanges {
    /// Collects the indexes that the differences of a table remove and add. A changed index is both.
    pub(super) fn of(differences: &[Difference]) -> Self {
        let of_indexes = differences.iter().filter(|one| one.path == INDEXES);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for difference in of_indexes {
            before.extend(difference.before.iter().flat_map(elements));
            after.extend(difference.after.iter().flat_map(elements));
        }
        let names = |indexes: &[&Json]| indexes.iter().filter_map(|index| name(index)).collect();
        let mut changes = IndexChanges {
            removed: names(&before),
            added: names(&after),
            set: BTreeSet::new(),
        };
        for old in before {
            let new = after.iter().find(|new| name(new) == name(old));
            if new.is_some_and(|new| fixed(old) == fixed(new)) {
                changes.set.extend(name(old));
            }
        }
        changes
    }

    /// Returns the effect of a difference, or `None` if it is not one of indexes that CloudFormation refuses.
    pub(super) fn effect(&self, difference: &Difference) -> Option<ChangeEffect> {
        if difference.path != INDEXES {
            return None;
        }
        let value = difference.before.iter().chain(&difference.after);
        let names: BTreeSet<String> = value.flat_map(elements).filter_map(name).collect();
        if names.is_subset(&self.set) && !names.is_empty() {
            return None;
        }
        let is_changed = |name: &String| {
            self.removed.contains(name) && self.added.contains(name) && !self.set.contains(name)
        };
        if names.iter().any(is_changed) {
            return Some(ChangeEffect::FixedIndex);
        }
        let all: BTreeSet<_> = self.removed.union(&self.added).collect();
        let changed = all.into_iter().filter(|name| !self.set.contains(*name));
        (changed.count() > 1).then_some(ChangeEffect::OneIndex)
    }
}

/// Returns the indexes in a value of a difference: one element, or the whole list.
fn elements(value: &Json) -> Vec<&Json> {
    match value {
        Json::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

fn name(index: &Json) -> Option<String> {
    index.get("IndexName")?.as_str().map(str::to_owned)
}

/// Returns what an update cannot change of an index.
fn fixed(index: &Json) -> Json {
    let mut index = index.clone();
    if let Json::Object(properties) = &mut index {
        properties.retain(|name, _| !SETTINGS.contains(&name.as_str()));
    }
    index
}
