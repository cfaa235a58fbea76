//! Findings as people and machines read them. Text is made here and printed elsewhere.

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

/// A file and what was found in it.
#[derive(Clone, Debug)]
pub struct LintedFile {
    /// The file's name as the user gave it.
    pub file: String,
    /// The file's text, and that of its earlier revision.
    pub sources: Sources,
    /// What was found.
    pub report: LintReport,
}

/// Why a file could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnreadableFile {
    /// What is wrong with it.
    pub message: String,
    /// Its name; `None` for a failure that is of no file.
    pub file: Option<String>,
    /// Where, from 1, if that is known.
    pub line: Option<u32>,
    /// From 1, in characters.
    pub column: Option<u32>,
    /// What to do.
    pub hint: Option<String>,
}

/// A run, as the formats for machines tell it.
#[derive(Clone, Copy, Debug)]
pub struct LintResults<'a> {
    /// The files that were judged, with the findings that are to be told.
    pub linted: &'a [LintedFile],
    /// The files that could not be.
    pub unread: &'a [UnreadableFile],
    /// How many of what.
    pub summary: &'a Summary,
    /// Whether a baseline held findings that were there before, so that these are new.
    pub has_baseline: bool,
    /// Whether SARIF and JUnit are to have the findings that templates say are meant so.
    pub with_suppressed: bool,
}

impl LintedFile {
    /// Where a finding is; the file's first line for one that has no place in it.
    fn region(&self, finding: &Finding) -> Option<Region> {
        Region::of(finding.location.span, &self.sources)
    }
}

/// Where in a resource a finding is: `Target`, or `LayerArns.0`; empty for the resource itself.
pub fn property(finding: &Finding) -> String {
    finding.location.path.join(".")
}

fn pretty(value: &impl Serialize) -> String {
    // Text, numbers and lists of them: there is nothing that JSON could not hold.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
