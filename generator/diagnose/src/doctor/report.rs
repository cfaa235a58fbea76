//! The report of an examination.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stackgen_deploy::{ApiInfo, StageName};

use super::check::DoctorCheck;
use super::checks;
use super::evidence::{DoctorEvidence, UnreadEvidence, UnreadReason};
use super::finding::DoctorFinding;
use super::part::EvidencePart;
use super::reader::{EvidenceReader, OpenQuestion};
use super::symptom::Symptom;

/// The result of an examination.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    /// The API.
    pub api: ApiInfo,
    /// The stage.
    pub stage: StageName,
    /// The symptom that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symptom: Option<&'static Symptom>,
    /// Findings, the worst first.
    pub findings: Vec<DoctorFinding>,
    /// Checks that found nothing.
    pub healthy: Vec<CheckSummary>,
    /// Checks that could not look at all that they need, or could not decide. They may have found something nevertheless.
    pub incomplete: Vec<CheckSummary>,
    /// Evidence that could not be read.
    pub unread: Vec<UnreadEvidence>,
}

/// A check in a report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckSummary {
    /// The ID.
    pub id: &'static str,
    /// Subject of the check.
    pub looks_at: &'static str,
    /// Parts of the evidence that it asked for, or that decide what to read of these, and that were not read.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub unread: BTreeSet<EvidencePart>,
    /// Questions that the evidence leaves open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenQuestion>,
}

impl CheckSummary {
    fn is_complete(&self) -> bool {
        self.unread.is_empty() && self.open.is_empty()
    }
}

impl DoctorReport {
    /// Runs all checks, or those of a symptom.
    pub fn new(evidence: &DoctorEvidence, symptom: Option<&'static Symptom>) -> DoctorReport {
        let is_asked = |check: &&'static DoctorCheck| {
            symptom.is_none_or(|symptom| symptom.checks.contains(&check.id))
        };
        let asked: Vec<_> = checks::all().filter(is_asked).collect();
        let (mut findings, mut healthy, mut incomplete) = (Vec::new(), Vec::new(), Vec::new());
        for check in asked {
            let reader = EvidenceReader::new(evidence);
            let found = (check.run)(check, &reader);
            let unread = evidence.lacking(reader.asked());
            let summary = CheckSummary {
                id: check.id,
                looks_at: check.looks_at,
                unread,
                open: reader.into_open(),
            };
            if !summary.is_complete() {
                incomplete.push(summary);
            } else if found.is_empty() {
                healthy.push(summary);
            }
            findings.extend(found);
        }
        // Stable, so that findings of equal weight stay in the order of the families.
        findings.sort_by_key(|finding| (finding.severity, finding.confidence));
        DoctorReport {
            api: evidence.api.clone(),
            stage: evidence.stage_name.clone(),
            symptom,
            findings,
            healthy,
            incomplete,
            unread: evidence.unread.clone(),
        }
    }

    /// True if something is wrong, or if nothing is known about the API or its stage.
    pub fn is_wrong(&self) -> bool {
        let essential = [
            EvidencePart::Wiring,
            EvidencePart::Stage,
            EvidencePart::Status,
        ];
        let is_blind = self.unread.iter().any(|one| essential.contains(&one.part));
        is_blind || self.findings.iter().any(DoctorFinding::is_wrong)
    }

    /// Returns the questions that the evidence leaves open, each with the IDs of its checks.
    pub fn open_questions(&self) -> BTreeMap<&OpenQuestion, Vec<&'static str>> {
        let mut questions: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for check in &self.incomplete {
            for question in &check.open {
                questions.entry(question).or_default().push(check.id);
            }
        }
        questions
    }

    /// Returns the permissions that the caller lacks, sorted, each once.
    pub fn missing_permissions(&self) -> Vec<&str> {
        let denied = self
            .unread
            .iter()
            .filter(|one| one.reason == UnreadReason::Denied);
        let permissions: BTreeSet<_> = denied.filter_map(|one| one.permission.as_deref()).collect();
        permissions.into_iter().collect()
    }
}
