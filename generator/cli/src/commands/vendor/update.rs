//! Changes that an update makes to a project's copy of the library.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::compare::{FileState, VendorComparison};
use crate::library::VendorRecord;

/// Changes of an update. Paths are those in `vendor`.
#[derive(Debug)]
pub(super) struct VendorUpdate {
    /// New texts of files.
    pub(super) write: BTreeMap<String, String>,
    /// Files to remove.
    pub(super) remove: BTreeSet<String>,
    /// Record of the result.
    pub(super) record: VendorRecord,
}

/// Action of an update on a file that is not current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum FileAction {
    Wrote,
    Removed,
    /// The user's version stays.
    Left,
}

/// The user's choice for changed files.
#[derive(Debug)]
pub(super) enum Choice {
    /// Nothing: a conflict stops the update, and other changed files stay.
    None,
    /// These files are replaced.
    Replace(BTreeSet<String>),
    /// These files stay, and the record says so.
    Keep(BTreeSet<String>),
}

impl Choice {
    /// Returns the number of files in a state for which nothing was chosen.
    pub(super) fn undecided(&self, comparison: &VendorComparison, state: FileState) -> usize {
        let is_decided = |name: &String| match self {
            Choice::None => false,
            Choice::Replace(files) | Choice::Keep(files) => files.contains(name),
        };
        let states = comparison.states.iter();
        states
            .filter(|(name, it)| **it == state && !is_decided(name))
            .count()
    }

    /// Returns what an update does with a file that is not current.
    pub(super) fn action(&self, comparison: &VendorComparison, name: &str) -> Option<FileAction> {
        let state = comparison.states.get(name)?;
        let is_replaced = match self {
            _ if state.is_updated() => true,
            Choice::Replace(files) => files.contains(name),
            Choice::None | Choice::Keep(_) => false,
        };
        match (is_replaced, comparison.texts.contains_key(name)) {
            (true, true) => Some(FileAction::Wrote),
            (true, false) => Some(FileAction::Removed),
            (false, _) if *state == FileState::Current => None,
            (false, _) => Some(FileAction::Left),
        }
    }

    /// Returns the changes of an update.
    pub(super) fn update(&self, comparison: &VendorComparison) -> VendorUpdate {
        let mut update = VendorUpdate {
            write: BTreeMap::new(),
            remove: BTreeSet::new(),
            record: comparison.version.clone(),
        };
        for (name, state) in &comparison.states {
            match self.action(comparison, name) {
                Some(FileAction::Wrote) => {
                    let text = comparison.texts.get(name).cloned().unwrap_or_default();
                    update.write.insert(name.clone(), text);
                }
                Some(FileAction::Removed) => {
                    update.remove.insert(name.clone());
                }
                Some(FileAction::Left) if self.is_kept(name, *state) => {
                    update.keep(name, comparison);
                }
                _ => {}
            }
        }
        update
    }

    fn is_kept(&self, name: &str, state: FileState) -> bool {
        let is_chosen = matches!(self, Choice::Keep(files) if files.contains(name));
        is_chosen || state == FileState::Kept
    }
}

impl VendorUpdate {
    /// Records that the user's version of a file stays. If this version of stackgen has no such file, it is the user's own
    /// from now on.
    fn keep(&mut self, name: &str, comparison: &VendorComparison) {
        if self.record.files.contains_key(name) {
            let digest = comparison.project.get(name).cloned();
            self.record.kept.insert(name.to_owned(), digest);
        }
    }
}
