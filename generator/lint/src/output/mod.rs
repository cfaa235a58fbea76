//! Findings as people and machines read them. Text is made here and printed elsewhere.

pub mod human;
pub mod snippet;

use stackgen_cfn::Sources;

use crate::Report;

/// A file and what was found in it.
#[derive(Clone, Debug)]
pub struct Linted {
    /// The file's name as the user gave it.
    pub file: String,
    /// The file's text, and that of its earlier revision.
    pub sources: Sources,
    /// What was found.
    pub report: Report,
}
