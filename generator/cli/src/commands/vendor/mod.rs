//! `stackgen vendor`

mod compare;
mod folder;
mod report;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use semver::Version;

use crate::error::CliError;
use crate::file;
use crate::library::{self, VendorRecord};
use crate::outcome::CommandOutcome;
use crate::ui::Ui;
use compare::{FileState, VendorComparison, states};
use folder::{digests, read_record, vendored};
use report::{VendorReport, changed_advice, files};
use update::Choice;

/// Compare or update a project's copy of the library, in vendor/
///
/// `stackgen init` writes the library stackgen-websocket to `vendor`, and records the files in vendor/stackgen.json.
/// `--check` compares them with those of this version of stackgen. `--update` replaces them, except files that you changed.
/// If this version has another text for such a file, nothing is written, and the exit code is 1: choose `--force` or `--keep`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
#[command(group(clap::ArgGroup::new("action").required(true).args(["check", "update"])))]
pub(crate) struct VendorCommand {
    /// Folder of the project
    #[arg(
        long,
        short,
        value_name = "DIR",
        default_value = ".",
        help_heading = "Input"
    )]
    project: PathBuf,

    /// Write nothing; show outdated and changed files, and exit with 3 if there are any
    #[arg(long, help_heading = "Action")]
    check: bool,

    /// Bring the library up to date
    #[arg(long, help_heading = "Action")]
    update: bool,

    /// Replace files that you changed, too, and remove those that this version lacks
    #[arg(long, requires = "update", help_heading = "Action")]
    force: bool,

    /// Keep files that you changed, and record that, so that `--check` accepts them
    #[arg(
        long,
        requires = "update",
        conflicts_with = "force",
        help_heading = "Action"
    )]
    keep: bool,

    /// Changed file that `--force` or `--keep` applies to (default: all)
    #[arg(value_name = "FILE", conflicts_with = "check")]
    files: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  stackgen vendor --check
  stackgen vendor --update
  stackgen vendor --update --keep vendor/stackgen-websocket/src/logs.rs";

impl VendorCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let comparison = self.compare()?;
        match self.check {
            true => self.check(&comparison, ui),
            false => self.update(&comparison, ui),
        }
    }

    fn compare(&self) -> Result<VendorComparison, CliError> {
        let record = read_record(&self.project)?;
        if !self.force {
            refuse_downgrade(&record.stackgen)?;
        }
        let texts = library::files();
        let version = VendorRecord::of(&texts);
        let paths: BTreeSet<_> = record.files.keys().chain(texts.keys()).collect();
        let project = digests(&self.project, paths.into_iter())?;
        let states = states(&record, &project, &version);
        Ok(VendorComparison {
            record,
            version,
            texts,
            project,
            states,
        })
    }

    fn check(&self, comparison: &VendorComparison, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let report = VendorReport::of(comparison, &self.project);
        report.print(ui)?;
        let differs = |state: FileState| state.is_updated() || state == FileState::Conflict;
        let outdated = report.count(differs);
        if outdated > 0 {
            let (from, to) = (&report.vendored, report.stackgen);
            let files = files(outdated);
            ui.aside(&format!(
                "the library is that of stackgen {from}, and {files} in {to}: update with `stackgen vendor --update`"
            ));
        }
        let changed = report.count(FileState::is_changed);
        if changed > 0 {
            ui.aside(&changed_advice(changed));
        }
        if outdated + changed > 0 {
            return Ok(CommandOutcome::Found);
        }
        report.print_version(ui)?;
        Ok(CommandOutcome::Done)
    }

    fn update(&self, comparison: &VendorComparison, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let choice = self.choice(comparison)?;
        let mut report = VendorReport::of(comparison, &self.project);
        let open = choice.undecided(comparison, FileState::Conflict);
        if open > 0 {
            report.print(ui)?;
            let to = report.stackgen;
            let texts = match open {
                1 => "another text for a file".to_owned(),
                count => format!("other texts for {count} files"),
            };
            ui.aside(&format!(
                "nothing was written: stackgen {to} has {texts} that you changed"
            ));
            ui.aside(&changed_advice(open));
            return Ok(CommandOutcome::Failed);
        }
        let update = choice.update(comparison);
        report.updated = update.apply(comparison, &self.project)?;
        report.add_actions(comparison, &choice);
        report.print(ui)?;
        let changed = choice.undecided(comparison, FileState::Changed);
        if changed > 0 {
            ui.aside(&changed_advice(changed));
        }
        report.print_version(ui)?;
        if !update.write.is_empty() {
            ui.aside("next: `cargo test`; then commit vendor and Cargo.lock together");
        }
        Ok(CommandOutcome::Done)
    }

    /// Returns what the user chose for changed files. Files that are kept already can be replaced, but only by name.
    fn choice(&self, comparison: &VendorComparison) -> Result<Choice, CliError> {
        if !self.force && !self.keep && !self.files.is_empty() {
            let message = "files are named without `--force` or `--keep`";
            return Err(CliError::input(message).hint("add `--force` or `--keep`"));
        }
        let changed: BTreeMap<_, _> = comparison
            .states
            .iter()
            .filter(|(_, state)| state.is_changed() || **state == FileState::Kept)
            .map(|(name, state)| (same_path(vendored(&self.project, name)), (name, *state)))
            .collect();
        let selected: Result<BTreeSet<String>, CliError> = match self.files.as_slice() {
            [] => Ok(changed
                .values()
                .filter(|(_, state)| state.is_changed())
                .map(|(name, _)| (*name).clone())
                .collect()),
            named => named
                .iter()
                .map(|file| match changed.get(&same_path(file.clone())) {
                    Some((name, _)) => Ok((*name).clone()),
                    None => Err(not_changed(file.display())),
                })
                .collect(),
        };
        Ok(match (self.force, self.keep) {
            (true, _) => Choice::Replace(selected?),
            (_, true) => Choice::Keep(selected?),
            _ => Choice::None,
        })
    }
}

/// Returns the path in the spelling that all spellings of a file share.
fn same_path(path: PathBuf) -> PathBuf {
    file::resolve(&path).unwrap_or(path)
}

fn not_changed(file: impl std::fmt::Display) -> CliError {
    CliError::input(format!("{file} is not a changed file of the library"))
        .hint("list the changed files with `stackgen vendor --check`")
}

/// Refuses to compare with files of a later version.
fn refuse_downgrade(vendored: &str) -> Result<(), CliError> {
    let own = env!("CARGO_PKG_VERSION");
    let is_later = match (Version::parse(vendored), Version::parse(own)) {
        (Ok(vendored), Ok(own)) => vendored > own,
        _ => false,
    };
    if !is_later {
        return Ok(());
    }
    let message = format!("the library is that of stackgen {vendored}, and this is stackgen {own}");
    let hint = format!(
        "install stackgen {vendored}, or commit your changes and go back to {own} with `stackgen vendor --update --force`, \
         which also replaces the files that you changed"
    );
    Err(CliError::input(message).hint(hint))
}
