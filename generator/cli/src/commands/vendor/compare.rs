//! Comparison of a project's copy of the library with that of this version of stackgen.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::library::{FileDigest, VendorRecord};

/// State of a file in `vendor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum FileState {
    /// The file is that of this version.
    Current,
    /// The file is unchanged since stackgen wrote it, and this version has another one.
    Outdated,
    /// This version has a file that the project lacks.
    Missing,
    /// The file is unchanged since stackgen wrote it, and this version has none.
    Obsolete,
    /// The user changed or removed the file; this version has the one that the user started from.
    Changed,
    /// The user changed or removed the file, and this version has another one, or none.
    Conflict,
    /// The user changed or removed the file, and `--keep` recorded that.
    Kept,
}

impl FileState {
    /// Returns true if the file differs from what stackgen wrote, and nobody recorded that.
    pub(super) fn is_changed(self) -> bool {
        matches!(self, FileState::Changed | FileState::Conflict)
    }

    /// Returns true if an update writes or removes the file.
    pub(super) fn is_updated(self) -> bool {
        matches!(
            self,
            FileState::Outdated | FileState::Missing | FileState::Obsolete
        )
    }
}

/// A project's files beside those of this version. Paths are those in `vendor`.
#[derive(Debug)]
pub(super) struct VendorComparison {
    pub(super) record: VendorRecord,
    pub(super) version: VendorRecord,
    pub(super) texts: BTreeMap<String, String>,
    pub(super) project: BTreeMap<String, FileDigest>,
    pub(super) states: BTreeMap<String, FileState>,
}

/// Digests of one file: as recorded, in the project, and in this version. `None` where there is no such file.
#[derive(Clone, Copy, Debug)]
struct Digests<'a> {
    recorded: Option<&'a FileDigest>,
    project: Option<&'a FileDigest>,
    version: Option<&'a FileDigest>,
    /// The user's version that is kept; `Some(None)` if the file was removed.
    kept: Option<&'a Option<FileDigest>>,
}

impl Digests<'_> {
    fn state(self) -> FileState {
        if self.project == self.version {
            return FileState::Current;
        }
        let is_new = self.recorded.is_none() && self.project.is_none();
        match (self.project == self.recorded, self.version) {
            (true, None) => FileState::Obsolete,
            (true, Some(_)) if is_new => FileState::Missing,
            (true, Some(_)) => FileState::Outdated,
            (false, _) if self.version != self.recorded => FileState::Conflict,
            (false, _) if self.kept.is_some_and(|kept| kept.as_ref() == self.project) => {
                FileState::Kept
            }
            (false, _) => FileState::Changed,
        }
    }
}

/// Returns the states of all files of the library, by their paths in `vendor`. `project` holds the digests of the project's
/// files.
pub(super) fn states(
    record: &VendorRecord,
    project: &BTreeMap<String, FileDigest>,
    version: &VendorRecord,
) -> BTreeMap<String, FileState> {
    let paths: BTreeSet<_> = record.files.keys().chain(version.files.keys()).collect();
    let state = |path: &String| {
        let digests = Digests {
            recorded: record.files.get(path),
            project: project.get(path),
            version: version.files.get(path),
            kept: record.kept.get(path),
        };
        (path.clone(), digests.state())
    };
    paths.into_iter().map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the state of a file with these texts; an empty text is no file.
    fn state(recorded: &str, project: &str, version: &str) -> FileState {
        let digest = |text: &str| (!text.is_empty()).then(|| FileDigest::of(text.as_bytes()));
        let [recorded, project, version] = [recorded, project, version].map(digest);
        let digests = Digests {
            recorded: recorded.as_ref(),
            project: project.as_ref(),
            version: version.as_ref(),
            kept: None,
        };
        digests.state()
    }

    #[test]
    fn an_unchanged_file_follows_the_version() {
        assert_eq!(state("1", "1", "1"), FileState::Current);
        assert_eq!(state("1", "1", "2"), FileState::Outdated);
        assert_eq!(state("1", "1", ""), FileState::Obsolete);
        assert_eq!(state("", "", "2"), FileState::Missing);
    }

    /// An update that was interrupted has replaced some files, and not the record.
    #[test]
    fn a_file_of_this_version_is_current_whatever_the_record_says() {
        assert_eq!(state("1", "2", "2"), FileState::Current);
        assert_eq!(state("", "2", "2"), FileState::Current);
        assert_eq!(state("1", "", ""), FileState::Current);
    }

    #[test]
    fn a_changed_file_is_a_conflict_only_if_the_version_has_another_one() {
        assert_eq!(state("1", "mine", "1"), FileState::Changed);
        assert_eq!(state("1", "", "1"), FileState::Changed);
        assert_eq!(state("1", "mine", "2"), FileState::Conflict);
        assert_eq!(state("1", "mine", ""), FileState::Conflict);
        assert_eq!(state("1", "", "2"), FileState::Conflict);
        assert_eq!(state("", "mine", "2"), FileState::Conflict);
    }

    #[test]
    fn a_kept_file_is_kept_until_it_or_the_version_changes() {
        let [one, mine, two] = ["1", "mine", "2"].map(|text| FileDigest::of(text.as_bytes()));
        let (as_mine, as_removed) = (Some(mine.clone()), None);
        let digests = Digests {
            recorded: Some(&one),
            project: Some(&mine),
            version: Some(&one),
            kept: Some(&as_mine),
        };
        assert_eq!(digests.state(), FileState::Kept);
        let changed_again = Digests {
            project: Some(&two),
            ..digests
        };
        assert_eq!(changed_again.state(), FileState::Changed);
        let updated = Digests {
            version: Some(&two),
            ..digests
        };
        assert_eq!(updated.state(), FileState::Conflict);
        let removed = Digests {
            project: None,
            kept: Some(&as_removed),
            ..digests
        };
        assert_eq!(removed.state(), FileState::Kept);
    }
}
