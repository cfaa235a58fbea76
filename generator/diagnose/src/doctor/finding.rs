//! A finding: what is wrong, the evidence, and the next step.

use serde::Serialize;

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DoctorSeverity {
    /// Callers fail because of it, or will with certainty.
    Problem,
    /// Some callers fail, or will after the next change.
    Warning,
    /// Worth knowing; nothing fails.
    Note,
}

impl DoctorSeverity {
    /// Returns the severity as a word.
    pub fn name(self) -> &'static str {
        match self {
            DoctorSeverity::Problem => "problem",
            DoctorSeverity::Warning => "warning",
            DoctorSeverity::Note => "note",
        }
    }
}

/// Confidence in a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DoctorConfidence {
    /// The evidence leaves no other explanation.
    Certain,
    /// The evidence supports it, and something that cannot be read could contradict it.
    Likely,
    /// The evidence does not contradict it.
    Possible,
}

impl DoctorConfidence {
    /// Returns the confidence as a word.
    pub fn name(self) -> &'static str {
        match self {
            DoctorConfidence::Certain => "certain",
            DoctorConfidence::Likely => "likely",
            DoctorConfidence::Possible => "possible",
        }
    }
}

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DoctorFinding {
    /// ID of the check, or of the linter's rule that found it.
    pub id: &'static str,
    /// The problem in a few words.
    pub title: String,
    /// The severity.
    pub severity: DoctorSeverity,
    /// The confidence.
    pub confidence: DoctorConfidence,
    /// Subject: a function, a stage, a table.
    pub looked_at: String,
    /// Observation.
    pub found: String,
    /// The one next step.
    pub next_step: String,
    /// Rows of the API Gateway reference that explain it.
    pub rows: Vec<&'static str>,
    /// A change that `--fix` offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<DoctorFix>,
}

/// A safe change that cures a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "change")]
pub enum DoctorFix {
    /// Create a deployment of the current configuration, activate and verify it.
    RedeployStage,
    /// Set the role by which API Gateway writes logs.
    SetLogRole,
    /// Delete records of connections that do not exist.
    DeleteRecords {
        /// The table.
        table: String,
        /// The name of the partition key.
        key: String,
        /// The connection IDs.
        connections: Vec<String>,
    },
}

impl DoctorFinding {
    /// Lowers the severity and the confidence.
    #[must_use]
    pub(crate) fn with(self, severity: DoctorSeverity, confidence: DoctorConfidence) -> Self {
        DoctorFinding {
            severity,
            confidence,
            ..self
        }
    }

    /// Adds a change that `--fix` offers.
    #[must_use]
    pub(crate) fn with_fix(self, fix: DoctorFix) -> Self {
        DoctorFinding {
            fix: Some(fix),
            ..self
        }
    }

    /// True if it makes the exit code 3.
    pub fn is_wrong(&self) -> bool {
        self.severity < DoctorSeverity::Note
    }
}
