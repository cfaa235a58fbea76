//! Output formats of findings. This module returns text and prints nothing.

pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod page;
mod region;
pub mod sarif;
pub mod snippet;
mod summary;

use serde::Serialize;
use stackgen_cfn::Sources;

use crate::{Finding, LintReport};

pub use region::Region;
pub use summary::Summary;

/// A file and its findings.
#[derive(Clone, Debug)]
pub struct LintedFile {
    /// Name of the file as the user wrote it.
    pub file: String,
    /// Text of the file and of its earlier revision.
    pub sources: Sources,
    /// Findings.
    pub report: LintReport,
}

/// A file that could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnreadableFile {
    /// Description of the problem.
    pub message: String,
    /// Name of the file; `None` for a failure without a file.
    pub file: Option<String>,
    /// Line from 1, if it is known.
    pub line: Option<u32>,
    /// Column from 1, in characters.
    pub column: Option<u32>,
    /// Advice.
    pub hint: Option<String>,
}

/// Results of a run for the machine-readable formats.
#[derive(Clone, Copy, Debug)]
pub struct LintResults<'a> {
    /// Checked files with the findings to report.
    pub linted: &'a [LintedFile],
    /// Files that could not be checked.
    pub unread: &'a [UnreadableFile],
    /// Counts.
    pub summary: &'a Summary,
    /// True if a baseline excludes existing findings, so that these are new.
    pub has_baseline: bool,
    /// True if SARIF and JUnit include suppressed findings.
    pub with_suppressed: bool,
}

impl LintedFile {
    /// Returns the region of a finding, or `None` if it has no location in a file.
    fn region(&self, finding: &Finding) -> Option<Region> {
        Region::of(finding.location.span, &self.sources)
    }
}

/// Returns the path of a finding's property: `Target`, or `LayerArns.0`; empty for the resource itself.
pub fn property(finding: &Finding) -> String {
    finding.location.path.join(".")
}

fn pretty(value: &impl Serialize) -> String {
    // Text, numbers and lists always serialize.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
