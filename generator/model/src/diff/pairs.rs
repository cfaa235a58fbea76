//! Matching of old and new parts.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::parts::{ModelPart, Names, PartKind};
use crate::{LogicalId, Model};

/// Logical IDs of resources in both models.
pub(super) struct Pairing {
    /// Old IDs of resources that have another ID now and the same physical name.
    renamed: HashMap<LogicalId, LogicalId>,
    /// All IDs of the old model.
    old_ids: HashSet<LogicalId>,
}

/// The old and the new part.
pub(super) type Pair = (Option<ModelPart>, Option<ModelPart>);

impl Pairing {
    pub(super) fn new(old: &Model, new: &Model, [old_names, new_names]: [&Names; 2]) -> Self {
        let same = |id: &LogicalId| {
            let kinds = (old.resources.get(id), new.resources.get(id));
            matches!(kinds, (Some(before), Some(after)) if before.kind == after.kind)
        };
        let mut by_name = HashMap::new();
        for (id, resource) in old.resources.iter().filter(|(id, _)| !same(id)) {
            let name = old_names.name(id);
            if id.as_str() != name {
                by_name.insert((resource.kind.as_str(), name), id);
            }
        }
        let moved = new.resources.iter().filter(|(id, _)| !same(id));
        let renamed = moved.filter_map(|(id, resource)| {
            let old_id = by_name.get(&(resource.kind.as_str(), new_names.name(id)))?;
            Some((id.clone(), (*old_id).clone()))
        });
        Pairing {
            renamed: renamed.collect(),
            old_ids: old.resources.keys().cloned().collect(),
        }
    }

    /// Returns the ID of a resource in the old model, given its new ID.
    pub(super) fn old_id<'i>(&'i self, id: &'i LogicalId) -> &'i LogicalId {
        self.renamed.get(id).unwrap_or(id)
    }

    /// Pairs the parts of both models.
    pub(super) fn pairs(&self, old: Vec<ModelPart>, new: Vec<ModelPart>) -> Vec<Pair> {
        let new_ids: HashSet<LogicalId> = new.iter().filter_map(|part| part.id.clone()).collect();
        let mut groups: BTreeMap<_, (Vec<ModelPart>, Vec<ModelPart>)> = BTreeMap::new();
        for part in old {
            // Attributes count only if both models contain the resource.
            let gone = part.kind == PartKind::Attributes
                && part
                    .id
                    .as_ref()
                    .is_some_and(|id| !self.is_kept(id, &new_ids));
            if !gone {
                groups
                    .entry(self.key(&part, false))
                    .or_default()
                    .0
                    .push(part);
            }
        }
        for part in new {
            let id = part.id.as_ref().map(|id| self.old_id(id));
            let fresh = part.kind == PartKind::Attributes
                && id.is_some_and(|id| !self.old_ids.contains(id));
            if !fresh {
                groups
                    .entry(self.key(&part, true))
                    .or_default()
                    .1
                    .push(part);
            }
        }
        groups
            .into_iter()
            .flat_map(|((kind, ..), (old, new))| match kind {
                PartKind::Stage => pair(old, new, &[is_same_resource, is_same_name]),
                _ => pair(old, new, &[is_same_resource, is_same_content, |_, _| true]),
            })
            .collect()
    }

    fn is_kept(&self, old_id: &LogicalId, new_ids: &HashSet<LogicalId>) -> bool {
        new_ids.contains(old_id) || self.renamed.values().any(|renamed| renamed == old_id)
    }

    /// Returns a key that matching parts share.
    fn key(&self, part: &ModelPart, is_new: bool) -> (PartKind, String, String) {
        let old_id = |id: &LogicalId| match is_new {
            true => self.old_id(id).to_string(),
            false => id.to_string(),
        };
        let api = part
            .api
            .as_ref()
            .map(|api| old_id(&LogicalId::new(api)))
            .unwrap_or_default();
        let name = match (&part.kind, &part.id) {
            // A function has many versions, and an API many deployments. Their IDs contain digests.
            (PartKind::Deployment, _) => String::new(),
            // By logical ID before name: a renamed stage is the same stage.
            (PartKind::Stage, _) => String::new(),
            (PartKind::Version, _) => part
                .content
                .get("FunctionName")
                .map(ToString::to_string)
                .unwrap_or_default(),
            (
                PartKind::Route
                | PartKind::Integration
                | PartKind::Authorizer
                | PartKind::Model
                | PartKind::Mapping,
                _,
            ) => part.name.clone(),
            (PartKind::Permission, _) | (_, None) => part.name.clone(),
            (_, Some(id)) => old_id(id),
        };
        (part.kind.clone(), api, name)
    }
}

/// A test whether two parts with the same key match.
type Test = fn(&ModelPart, &ModelPart) -> bool;

fn is_same_resource(left: &ModelPart, right: &ModelPart) -> bool {
    left.id == right.id
}

fn is_same_content(left: &ModelPart, right: &ModelPart) -> bool {
    left.content == right.content
}

fn is_same_name(left: &ModelPart, right: &ModelPart) -> bool {
    left.name == right.name
}

/// Pairs parts with the same key: those that pass the first test, then of the rest those that pass the next one.
fn pair(mut old: Vec<ModelPart>, new: Vec<ModelPart>, tests: &[Test]) -> Vec<Pair> {
    let mut left_over = new;
    let mut pairs = Vec::new();
    for test in tests {
        let mut unpaired = Vec::new();
        for after in left_over {
            match old.iter().position(|before| test(before, &after)) {
                Some(index) => pairs.push((Some(old.remove(index)), Some(after))),
                None => unpaired.push(after),
            }
        }
        left_over = unpaired;
    }
    pairs.extend(old.into_iter().map(|before| (Some(before), None)));
    pairs.extend(left_over.into_iter().map(|after| (None, Some(after))));
    pairs
}
