//! The report of an examination.

use std::collections::BTreeSet;

use serde::Serialize;
use stackgen_deploy::status::Freshness;
use stackgen_deploy::{ApiInfo, StageName};

use super::check::DoctorCheck;
use super::checks;
use super::evidence::{DoctorEvidence, UnreadEvidence, UnreadReason};
use super::finding::DoctorFinding;
use super::part::EvidencePart;
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
    /// Checks that could not look at all that they need.
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
}

impl DoctorReport {
    /// Runs all checks, or those of a symptom.
    pub fn new(evidence: &DoctorEvidence, symptom: Option<&'static Symptom>) -> DoctorReport {
        let is_asked = |check: &&'static DoctorCheck| {
            symptom.is_none_or(|symptom| symptom.checks.contains(&check.id))
        };
        let asked: Vec<_> = checks::all().filter(is_asked).collect();
        let findings = checks::run(asked.iter().copied(), evidence);
        let unread: BTreeSet<EvidencePart> = evidence.unread.iter().map(|one| one.part).collect();
        let (mut healthy, mut incomplete) = (Vec::new(), Vec::new());
        for check in asked {
            let summary = CheckSummary {
                id: check.id,
                looks_at: check.looks_at,
            };
            if check.needs.iter().any(|part| unread.contains(part)) {
                incomplete.push(summary);
            } else if !has_found(check, &findings) {
                match is_undecided(check, evidence) {
                    true => incomplete.push(summary),
                    false => healthy.push(summary),
                }
            }
        }
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

/// True for a check of what the stage serves, if that is unknown. Another check reports that.
fn is_undecided(check: &DoctorCheck, evidence: &DoctorEvidence) -> bool {
    let status = evidence.status.as_ref();
    let is_unknown = status.is_some_and(|it| it.verdict.freshness == Freshness::Unknown);
    is_unknown && matches!(check.id, "DR201" | "DR203")
}

/// True if a finding is of this check. Those of the linter's rules are of the check that runs them.
fn has_found(check: &DoctorCheck, findings: &[DoctorFinding]) -> bool {
    let is_of = |finding: &DoctorFinding| match finding.id.starts_with("SG") {
        true => check.id == "DR101",
        false => finding.id == check.id,
    };
    findings.iter().any(is_of)
}
