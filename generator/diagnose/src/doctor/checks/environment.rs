//! Environment variables of functions, compared with the template of the project.

use super::code::function_text;
use crate::doctor::check::DoctorCheck;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::reader::EvidenceReader;

/// A variable that a function reads and does not have.
pub(super) static VARIABLE_MISSING: DoctorCheck = DoctorCheck {
    id: "DR308",
    title: "A function lacks an environment variable",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the environment of each function of the project, compared with the names that its template sets",
    rows: &[],
    needs: &[EvidencePart::Functions],
    run: variable_missing,
};

/// A variable with another value than the template's.
pub(super) static VARIABLE_DIFFERS: DoctorCheck = DoctorCheck {
    id: "DR309",
    title: "An environment variable has another value than in the template",
    severity: DoctorSeverity::Note,
    confidence: DoctorConfidence::Certain,
    looks_at: "the values that the template of the project determines; values are never shown",
    rows: &[],
    needs: &[EvidencePart::Functions],
    run: variable_differs,
};

fn variable_missing(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let mut findings = Vec::new();
    for (name, details) in evidence.existing() {
        let Some(declared) = evidence.project().functions.get(name) else {
            continue;
        };
        let is_missing = |variable: &&String| !details.environment.contains_key(*variable);
        let missing: Vec<_> = declared
            .environment
            .keys()
            .filter(is_missing)
            .map(String::as_str)
            .collect();
        if missing.is_empty() {
            continue;
        }
        let found = format!(
            "the template sets variables that it does not have: {}",
            missing.join(", ")
        );
        let next = format!("run {}", evidence.deploy());
        findings.push(check.finding(function_text(name), found, next));
    }
    findings
}

fn variable_differs(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let mut findings = Vec::new();
    for (name, details) in evidence.existing() {
        let Some(declared) = evidence.project().functions.get(name) else {
            continue;
        };
        let differing = declared.environment.iter().filter(|(variable, declared)| {
            let live = details.environment.get(*variable);
            match (declared, live) {
                // `stackgen dev` replaces the addresses of AWS by local ones.
                (Some(declared), Some(live)) => *declared != live.0 && !is_local(&live.0),
                _ => false,
            }
        });
        let differing: Vec<_> = differing.map(|(variable, _)| variable.as_str()).collect();
        if differing.is_empty() {
            continue;
        }
        let found = format!(
            "the values in the account and in the template differ: {}",
            differing.join(", ")
        );
        let next = format!("run {} if the template is right", evidence.deploy());
        findings.push(check.finding(function_text(name), found, next));
    }
    findings
}

fn is_local(value: &str) -> bool {
    let (_, rest) = value.split_once("://").unwrap_or_default();
    rest.starts_with("127.0.0.1") || rest.starts_with("localhost")
}
