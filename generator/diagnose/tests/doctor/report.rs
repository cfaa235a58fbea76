//! Reports: order, checks that could not look, and the exit.

use stackgen_deploy::status::Freshness;
use stackgen_diagnose::doctor::{
    DoctorReport, EvidencePart, Symptom, UnreadEvidence, UnreadReason, all,
};

use crate::evidence::{evidence, stage_info, status, variables, with_function};
use crate::faults::{faults, take_away};

fn denied(part: EvidencePart) -> UnreadEvidence {
    UnreadEvidence {
        part,
        reason: UnreadReason::Denied,
        permission: Some("iam:SimulatePrincipalPolicy on role".to_owned()),
        message: "denied".to_owned(),
    }
}

#[test]
fn what_could_not_be_read_makes_checks_incomplete_and_names_the_permission() {
    // A function posts, and its right is not known.
    let (_, mut evidence) = faults().into_iter().find(|(id, _)| *id == "DR311").unwrap();
    take_away(EvidencePart::Rights, &mut evidence);
    evidence.unread.push(denied(EvidencePart::Rights));
    let report = DoctorReport::new(&evidence, None);
    let incomplete: Vec<_> = report.incomplete.iter().map(|one| one.id).collect();
    assert_eq!(incomplete, ["DR311"]);
    assert_eq!(report.healthy.len() + incomplete.len(), all().count());
    assert_eq!(
        report.missing_permissions(),
        ["iam:SimulatePrincipalPolicy on role"]
    );
    assert!(!report.is_wrong());
}

#[test]
fn a_stage_that_cannot_be_read_is_not_healthy() {
    let mut evidence = evidence();
    evidence.unread.push(denied(EvidencePart::Status));
    assert!(DoctorReport::new(&evidence, None).is_wrong());
}

#[test]
fn the_worst_comes_first_and_a_note_alone_is_not_wrong() {
    let mut evidence = evidence();
    evidence.status = Some(status(Freshness::Unknown, stage_info(false, None)));
    let note = DoctorReport::new(&evidence, None);
    assert!(!note.is_wrong());
    with_function(&mut evidence, variables("MANAGEMENT_ENDPOINT", ""));
    let report = DoctorReport::new(&evidence, None);
    let ids: Vec<_> = report.findings.iter().map(|one| one.id).collect();
    assert_eq!(ids, ["DR310", "DR210"]);
    assert!(report.is_wrong());
}

#[test]
fn a_symptom_runs_its_checks_only() {
    let mut evidence = evidence();
    evidence.status = Some(status(Freshness::NotDeployed, stage_info(false, None)));
    with_function(&mut evidence, variables("MANAGEMENT_ENDPOINT", ""));
    let symptom = Symptom::find("1006").unwrap();
    let report = DoctorReport::new(&evidence, Some(symptom));
    let ids: Vec<_> = report.findings.iter().map(|one| one.id).collect();
    assert_eq!(ids, ["DR208"]);
    let others = report.healthy.len() + report.incomplete.len();
    assert_eq!(others + 1, symptom.checks.len());
}

#[test]
fn ids_of_checks_are_sorted_unique_and_no_rows() {
    let ids: Vec<_> = all().map(|check| check.id).collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(ids, sorted);
    assert!(ids.iter().all(|id| id.starts_with("DR") && id.len() == 5));
}
