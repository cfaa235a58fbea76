//! Which thing of the old model is which of the new one.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::parts::{Kind, Names, Part};
use crate::{LogicalId, Model};

/// Old and new logical ids of one thing.
pub(super) struct Pairing {
    /// The old id of a resource that has another id now and the same physical name.
    renamed: HashMap<LogicalId, LogicalId>,
    /// Every id of the old model.
    old_ids: HashSet<LogicalId>,
}

/// A part before and after.
pub(super) type Pair = (Option<Part>, Option<Part>);

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

    /// The id that the old model has for a resource of the new one.
    pub(super) fn old_id<'i>(&'i self, id: &'i LogicalId) -> &'i LogicalId {
        self.renamed.get(id).unwrap_or(id)
    }

    /// Puts the parts of both models side by side.
    pub(super) fn pairs(&self, old: Vec<Part>, new: Vec<Part>) -> Vec<Pair> {
        let new_ids: HashSet<LogicalId> = new.iter().filter_map(|part| part.id.clone()).collect();
        let mut groups: BTreeMap<_, (Vec<Part>, Vec<Part>)> = BTreeMap::new();
        for part in old {
            // What a resource has beside its properties counts when the resource is in both.
            let gone = part.kind == Kind::Attributes
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
            let fresh =
                part.kind == Kind::Attributes && id.is_some_and(|id| !self.old_ids.contains(id));
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
                Kind::Stage => pair(old, new, &[is_same_resource, is_same_name]),
                _ => pair(old, new, &[is_same_resource, is_same_content, |_, _| true]),
            })
            .collect()
    }

    fn is_kept(&self, old_id: &LogicalId, new_ids: &HashSet<LogicalId>) -> bool {
        new_ids.contains(old_id) || self.renamed.values().any(|renamed| renamed == old_id)
    }

    /// Parts with the same key are the same thing.
    fn key(&self, part: &Part, is_new: bool) -> (Kind, String, String) {
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
            // One function has many versions, one api many deployments; their ids carry digests.
            (Kind::Deployment, _) => String::new(),
            // By logical id before name: a stage that gets another name is the same stage.
            (Kind::Stage, _) => String::new(),
            (Kind::Version, _) => part
                .content
                .get("FunctionName")
                .map(ToString::to_string)
                .unwrap_or_default(),
            (
                Kind::Route | Kind::Integration | Kind::Authorizer | Kind::Model | Kind::Mapping,
                _,
            ) => part.name.clone(),
            (Kind::Permission, _) | (_, None) => part.name.clone(),
            (_, Some(id)) => old_id(id),
        };
        (part.kind.clone(), api, name)
    }
}

/// Whether two parts of one key are the same thing.
type Test = fn(&Part, &Part) -> bool;

fn is_same_resource(left: &Part, right: &Part) -> bool {
    left.id == right.id
}

fn is_same_content(left: &Part, right: &Part) -> bool {
    left.content == right.content
}

fn is_same_name(left: &Part, right: &Part) -> bool {
    left.name == right.name
}

/// Pairs parts of one key: those that pass the first test, then of the rest those that pass the next.
fn pair(mut old: Vec<Part>, new: Vec<Part>, tests: &[Test]) -> Vec<Pair> {
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
