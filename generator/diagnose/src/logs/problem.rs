//! Problems of a connection.

use serde::Serialize;
use stackgen_probe::{Certainty, Explanation};

/// A problem of a connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionProblem {
    /// Severity.
    pub severity: ProblemSeverity,
    /// A few words: `refused 401`, `closed with 1005 after 1.0 s`.
    pub summary: String,
    /// Possible causes, the likeliest first.
    pub causes: Vec<Explanation>,
}

/// Severity of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProblemSeverity {
    /// It may be what the client wants.
    Note,
    /// The connection worked, and something in it failed or ended early.
    Warning,
    /// The connection was refused, or a function failed.
    Error,
}

pub(crate) fn explanation(
    certainty: Certainty,
    rows: &[&'static str],
    cause: impl Into<String>,
    next_step: impl Into<String>,
) -> Explanation {
    Explanation {
        cause: cause.into(),
        evidence: Vec::new(),
        next_step: next_step.into(),
        rows: rows.iter().map(|row| (*row).into()).collect(),
        certainty,
        doubts: Vec::new(),
    }
}
