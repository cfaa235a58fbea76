//! Output of `stackgen vendor`.

use std::path::Path;

use serde::Serialize;

use super::compare::{FileState, VendorComparison};
use super::folder::vendored;
use super::update::{Choice, FileAction};
use crate::error::CliError;
use crate::ui::Ui;

/// Result of a check or an update. Files that are current are left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VendorReport {
    /// This version of stackgen.
    pub(super) stackgen: &'static str,
    /// Version of stackgen that wrote the project's files before this run.
    pub(super) vendored: String,
    /// True if files, or the record, were written.
    pub(super) updated: bool,
    pub(super) files: Vec<ReportedFile>,
}

#[derive(Debug, Serialize)]
pub(super) struct ReportedFile {
    pub(super) path: String,
    /// Path in `vendor`.
    #[serde(skip)]
    name: String,
    pub(super) state: FileState,
    /// Action of the update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<FileAction>,
}

impl FileAction {
    fn verb(self) -> &'static str {
        match self {
            FileAction::Wrote => "wrote",
            FileAction::Removed => "removed",
            FileAction::Left => "left",
        }
    }
}

impl FileState {
    fn label(self) -> &'static str {
        match self {
            FileState::Current => "current",
            FileState::Outdated => "outdated",
            FileState::Missing => "missing",
            FileState::Obsolete => "obsolete",
            FileState::Changed => "changed",
            FileState::Conflict => "conflict",
            FileState::Kept => "kept",
        }
    }
}

impl VendorReport {
    /// Returns the report of a comparison.
    pub(super) fn of(comparison: &VendorComparison, project: &Path) -> Self {
        let states = comparison.states.iter();
        let files = states.filter(|(_, state)| **state != FileState::Current);
        let files = files.map(|(name, state)| ReportedFile {
            path: vendored(project, name).display().to_string(),
            name: name.clone(),
            state: *state,
            action: None,
        });
        VendorReport {
            stackgen: env!("CARGO_PKG_VERSION"),
            vendored: comparison.record.stackgen.clone(),
            updated: false,
            files: files.collect(),
        }
    }

    /// Adds what an update did.
    pub(super) fn add_actions(&mut self, comparison: &VendorComparison, choice: &Choice) {
        for file in &mut self.files {
            file.action = choice.action(comparison, &file.name);
        }
    }

    /// Prints the files.
    pub(super) fn print(&self, ui: &Ui) -> Result<(), CliError> {
        if ui.wants_json() {
            return ui.json_result(self);
        }
        for file in &self.files {
            let label = file.action.map_or(file.state.label(), FileAction::verb);
            ui.print(&format!("{label:9} {}\n", file.path))?;
        }
        Ok(())
    }

    /// Prints the version that the files have now.
    pub(super) fn print_version(&self, ui: &Ui) -> Result<(), CliError> {
        ui.done(&format!(
            "the library is that of stackgen {}",
            self.stackgen
        ))
    }

    /// Returns the number of files in a state.
    pub(super) fn count(&self, is_counted: impl Fn(FileState) -> bool) -> usize {
        let files = self.files.iter();
        files.filter(|file| is_counted(file.state)).count()
    }
}

/// Returns `1 file differs`, or `2 files differ`.
pub(super) fn files(count: usize) -> String {
    match count {
        1 => "1 file differs".to_owned(),
        count => format!("{count} files differ"),
    }
}

/// Returns what to do about files that the user changed.
pub(super) fn changed_advice(count: usize) -> String {
    let (what, it) = match count {
        1 => ("1 changed file".to_owned(), "it"),
        count => (format!("{count} changed files"), "them"),
    };
    format!(
        "{what}: replace {it} with `stackgen vendor --update --force`, or keep {it} with `stackgen vendor --update --keep`"
    )
}
