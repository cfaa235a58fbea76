//! The stack in CloudFormation.

use stackgen_deploy::stack::FailureCause;
use stackgen_deploy::stack::status::StackStatus;

use crate::doctor::check::DoctorCheck;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::reader::EvidenceReader;

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

fn failed(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let Some(facts) = evidence.stack() else {
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
    let next = match evidence.project().is_known {
        true => first_step(status.remedy(), evidence),
        false => format!("correct its cause, and run {}", evidence.deploy()),
    };
    vec![check.finding(format!("stack {}", facts.stack.name), found, next)]
}

/// Returns the first step of a remedy, with the flags that select the stage in its command.
fn first_step(remedy: &str, evidence: &EvidenceReader<'_>) -> String {
    let Some((before, rest)) = remedy.split_once("`stackgen ") else {
        return remedy.to_owned();
    };
    let (command, after) = rest.split_once('`').unwrap_or((rest, ""));
    // A second command is a second step.
    let after = if after.contains('`') { "" } else { after };
    format!("{before}{}{after}", evidence.command(command))
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

fn running(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let facts = evidence.stack();
    let Some(facts) = facts.filter(|facts| StackStatus::is_in_progress(&facts.stack.status)) else {
        return Vec::new();
    };
    let found = format!("it is {}", facts.stack.status.name());
    let next = format!(
        "look again when the operation is done with {}",
        evidence.command("doctor")
    );
    vec![check.finding(format!("stack {}", facts.stack.name), found, next)]
}
