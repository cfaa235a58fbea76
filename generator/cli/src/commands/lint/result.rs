//! Options and results of linting files.

use std::path::{Path, PathBuf};

use stackgen_cfn::FileId;
use stackgen_lint::Finding;
use stackgen_lint::output::{LintedFile, Region};
use stackgen_terraform::TerraformConfiguration;

use super::previous::PreviousRevision;
use crate::error::CliError;

/// Predicate for findings to fix in a file.
pub(super) type FixFilter<'a> = dyn Fn(&Finding, &Path) -> bool + Sync + 'a;

/// Options of linting.
#[derive(Clone, Copy)]
pub(super) struct LintOptions<'a> {
    pub(super) previous: &'a PreviousRevision,
    /// Findings to fix first, if any.
    pub(super) fix: Option<&'a FixFilter<'a>>,
}

/// Result of a file.
#[derive(Debug)]
pub(super) enum FileResult {
    /// The file is a template and was linted.
    Linted(CheckedFile),
    /// The files of a Terraform configuration, which were linted as one template.
    Configuration(CheckedConfiguration),
    /// Not a template, and not required to be one.
    Skipped,
    /// A required file that cannot be read as a template.
    Unread(CliError),
}

/// A linted template. If fixes were applied, the results are those of the fixed text.
#[derive(Debug)]
pub(super) struct CheckedFile {
    pub(super) path: PathBuf,
    pub(super) linted: LintedFile,
    /// ID of its text in the sources.
    pub(super) id: Option<FileId>,
    /// True if it was compared with an earlier revision.
    pub(super) has_previous: bool,
    /// Regions whose lines no report shows.
    pub(super) hidden: Vec<Region>,
    /// Text before and after fixes.
    pub(super) fixed: Option<FixedText>,
}

/// A text before and after fixes.
#[derive(Debug)]
pub(super) struct FixedText {
    pub(super) old: String,
    pub(super) new: String,
    /// Fixed findings, at least one.
    pub(super) findings: Vec<Finding>,
}

/// A linted configuration.
#[derive(Debug)]
pub(super) struct CheckedConfiguration {
    /// Its files with findings, at least one file.
    pub(super) files: Vec<CheckedFile>,
    /// The configuration, with remarks.
    pub(super) configuration: TerraformConfiguration,
}
