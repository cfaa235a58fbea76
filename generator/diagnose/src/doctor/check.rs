//! Description of a check.

use super::evidence::DoctorEvidence;
use super::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use super::part::EvidencePart;

/// A check: a pure function of the evidence, and its description.
#[derive(Debug)]
pub struct DoctorCheck {
    /// Permanent ID: `DR201`. The first digit is the family.
    pub id: &'static str,
    /// The problem that it finds, in a few words.
    pub title: &'static str,
    /// Severity of its findings, unless a finding has a lower one.
    pub severity: DoctorSeverity,
    /// Confidence in its findings, unless a finding has a lower one.
    pub confidence: DoctorConfidence,
    /// Subject of the check.
    pub looks_at: &'static str,
    /// Rows of the API Gateway reference on which it is based.
    pub rows: &'static [&'static str],
    /// Parts of the evidence that it needs.
    pub needs: &'static [EvidencePart],
    /// Finds problems. What could not be read produces none.
    pub(crate) run: fn(&DoctorCheck, &DoctorEvidence) -> Vec<DoctorFinding>,
}

impl DoctorCheck {
    /// Creates a finding of this check.
    pub(crate) fn finding(
        &self,
        looked_at: impl Into<String>,
        found: impl Into<String>,
        next_step: impl Into<String>,
    ) -> DoctorFinding {
        DoctorFinding {
            id: self.id,
            title: self.title.to_owned(),
            severity: self.severity,
            confidence: self.confidence,
            looked_at: looked_at.into(),
            found: found.into(),
            next_step: next_step.into(),
            rows: self.rows.to_vec(),
            fix: None,
        }
    }
}
