//! Description of a check.

use super::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use super::part::EvidencePart;
use super::reader::EvidenceReader;

/// A check: a pure function of the evidence, and its description.
///
/// It reads the evidence through a reader, which records what it asked for. If one of the answers is missing, or depends on one
/// that is missing, the check is not healthy, whatever `needs` says.
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
    /// Parts of the evidence to read for it. Parts that decide what to read of these follow, see [`EvidencePart::follows`].
    pub needs: &'static [EvidencePart],
    /// Finds problems. What could not be read produces none.
    pub(crate) run: fn(&DoctorCheck, &EvidenceReader<'_>) -> Vec<DoctorFinding>,
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
