//! Input and report of the linter.

use stackgen_cfn::{Node, Source};

use crate::Finding;

/// Input of the linter.
#[derive(Clone, Copy, Debug)]
pub struct LintInput<'a> {
    /// The template.
    pub template: &'a Node,
    /// Text of the template, whose comments can suppress findings; `None` for a template that was not read from a file.
    pub source: Option<&'a Source>,
    /// Earlier revision of the template.
    pub previous: Option<&'a Node>,
}

/// Findings of a template.
#[derive(Clone, Debug, Default)]
pub struct LintReport {
    /// Findings in the order of the file.
    pub findings: Vec<Finding>,
    /// Findings that the template suppresses.
    pub suppressed: Vec<SuppressedFinding>,
    /// Number of checked WebSocket APIs.
    pub apis: usize,
}

/// A suppressed finding.
#[derive(Clone, Debug)]
pub struct SuppressedFinding {
    /// The finding.
    pub finding: Finding,
    /// Reason in the template; empty if there is none.
    pub reason: String,
}
