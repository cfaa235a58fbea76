//! The stack in CloudFormation.

use stackgen_deploy::stack::FailureCause;
use stackgen_deploy::stack::status::StackStatus;

use crate::doctor::check::DoctorCheck;
use crate::doctor::evidence::DoctorEvidence;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use crate::doctor::part::EvidencePart;

pub(super) const CHECKS: &[&DoctorCheck] = &[&FAILED, &RUNNING];

/// A stack whose last operation failed.
static FAILED: DoctorCheck = DoctorCheck {
    id: "DR701",
    title: "The last operation on the stack failed",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the status of the stack, and the first failure in its events",
    rows: &[],
    needs: &[EvidencePart::Stack],
    run: failed,
};

/// A stack that changes right now.
static RUNNING: DoctorCheck = DoctorCheck {
    id: "DR702",
    title: "An operation on the stack runs",
    severity: DoctorSeverity::Note,
    confidence: DoctorConfidence::Certain,
    looks_at: "the status of the stack",
    rows: &[],
    needs: &[EvidencePart::Stack],
    run: running,
};

fn failed(check: &DoctorCheck, evidence: &DoctorEvidence) -> Vec<DoctorFinding> {
    let Some(facts) = &evidence.stack else {
        return Vec::new();
    };
    let status = &facts.stack.status;
    if status.is_success() || status.is_in_progress() {
        return Vec::new();
    }
    let cause = match &facts.cause {
        Some(cause) => format!("; the first cause: {}", cause_text(cause)),
        None => String::new(),
    };
    let found = format!("it is {}{cause}", status.name());
    vec![check.finding(
        format!("stack {}", facts.stack.name),
        found,
        status.remedy(),
    )]
}

fn cause_text(cause: &FailureCause) -> String {
    let reason = cause.reason.as_ref().map(|reason| format!(": {reason}"));
    format!(
        "{} ({}): {}{}",
        cause.logical_id,
        cause.kind,
        cause.status,
        reason.unwrap_or_default()
    )
}

fn running(check: &DoctorCheck, evidence: &DoctorEvidence) -> Vec<DoctorFinding> {
    let facts = evidence.stack.as_ref();
    let Some(facts) = facts.filter(|facts| StackStatus::is_in_progress(&facts.stack.status)) else {
        return Vec::new();
    };
    let found = format!("it is {}", facts.stack.status.name());
    let next = "run this command again when the operation is done";
    vec![check.finding(format!("stack {}", facts.stack.name), found, next)]
}
