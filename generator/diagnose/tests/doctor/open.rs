//! Checks that are not known, because evidence is missing or does not decide.

use std::time::Duration;

use stackgen_diagnose::doctor::{
    ClosedConnection, ClosedConnections, DoctorEvidence, DoctorReport, EvidencePart,
    PolicyDecision, RightVerdict, UnreadEvidence, UnreadReason, all,
};

use crate::faults::{faults, healthy, take_away};

fn ids(checks: &[stackgen_diagnose::doctor::CheckSummary]) -> Vec<&'static str> {
    checks.iter().map(|check| check.id).collect()
}

fn finds(evidence: &DoctorEvidence, id: &str) -> bool {
    let findings = DoctorReport::new(evidence, None).findings;
    // Findings of the linter's rules are of the check that runs them.
    let is_of = |found: &&str| *found == id || id == "DR101" && found.starts_with("SG");
    findings.iter().any(|one| is_of(&one.id))
}

#[test]
fn on_healthy_evidence_every_check_is_healthy() {
    let report = DoctorReport::new(&healthy(), None);
    assert_eq!(report.findings, []);
    assert_eq!(report.incomplete, []);
    assert_eq!(report.healthy.len(), all().count());
}

#[test]
fn without_any_one_part_no_check_that_depends_on_it_is_healthy() {
    let faults = faults();
    let checked: Vec<_> = faults.iter().map(|(id, _)| *id).collect();
    let known: Vec<_> = all().map(|check| check.id).collect();
    assert_eq!(checked, known, "one fault for each check");
    for (id, evidence) in &faults {
        assert!(finds(evidence, id), "{id} finds its fault");
        for part in EvidencePart::ALL {
            let mut unread = evidence.clone();
            take_away(part, &mut unread);
            let mut not_gathered = unread.clone();
            unread.unread.push(UnreadEvidence {
                part,
                reason: UnreadReason::Denied,
                permission: None,
                message: "denied".to_owned(),
            });
            not_gathered.gathered.remove(&part);
            for evidence in [unread, not_gathered] {
                let report = DoctorReport::new(&evidence, None);
                let is_healthy = ids(&report.healthy).contains(id);
                assert!(!is_healthy || finds(&evidence, id), "{id} without {part:?}");
            }
        }
    }
}

#[test]
fn a_part_that_follows_an_unread_one_is_unknown_too() {
    let mut evidence = healthy();
    let tables = evidence.gathered.get_mut(&EvidencePart::Tables).unwrap();
    tables.insert(EvidencePart::Stack);
    evidence.gathered.remove(&EvidencePart::Stack);
    let report = DoctorReport::new(&evidence, None);
    let tables = ["DR401", "DR402", "DR403", "DR404"];
    for id in tables {
        assert!(ids(&report.incomplete).contains(&id), "{id}");
    }
}

/// Returns the questions that remain open, each with its checks.
fn questions(evidence: &DoctorEvidence) -> Vec<String> {
    let report = DoctorReport::new(evidence, None);
    let questions = report.open_questions();
    let text = questions
        .iter()
        .map(|(question, checks)| format!("{}: {}", checks.join(" "), question.unknown));
    text.collect()
}

#[test]
fn row_l1_without_a_log_of_disconnects_no_close_is_known() {
    let mut evidence = healthy();
    evidence.closes = ClosedConnections::default();
    assert_eq!(
        questions(&evidence),
        ["DR502 DR503 DR504 DR505 DR506: no log lists all connections that closed"]
    );
    // A function may log the codes of some connections only.
    let close = |code, age| ClosedConnection { code, age };
    evidence.closes.closes = vec![close(Some(1000), None)];
    assert_eq!(
        questions(&evidence),
        ["DR502 DR503 DR504 DR505 DR506: no log lists all connections that closed"]
    );
    // An execution log at level INFO has the codes of all, and no ages.
    evidence.closes.lists_disconnects = true;
    assert_eq!(
        questions(&evidence),
        ["DR503 DR504: no log tells the age of connections that close"]
    );
}

#[test]
fn closes_of_a_log_that_is_cut_off_are_not_known() {
    let mut evidence = healthy();
    evidence.closes.is_cut_off = true;
    assert_eq!(
        questions(&evidence),
        [
            "DR502 DR503 DR504 DR505 DR506: the logs have more lines about connections that closed than doctor reads"
        ]
    );
}

#[test]
fn closes_of_unknown_code_leave_open_what_they_could_be() {
    let of = |count: usize, age: u64| {
        let mut evidence = healthy();
        let age = Some(Duration::from_secs(age));
        evidence.closes.closes = vec![ClosedConnection { code: None, age }; count];
        questions(&evidence)
    };
    let unknown = "connections closed, and no log contains the code";
    assert_eq!(of(1, 30), [format!("DR506: {unknown}")]);
    assert_eq!(of(5, 30), [format!("DR502 DR505 DR506: {unknown}")]);
    assert_eq!(of(5, 603), [format!("DR502 DR503 DR505 DR506: {unknown}")]);
    assert_eq!(of(1, 7_200), [format!("DR504 DR506: {unknown}")]);
}

#[test]
fn codes_that_may_be_in_unread_lines_are_not_called_unlogged() {
    let mut evidence = healthy();
    evidence.closes.lacks_lines = true;
    assert_eq!(questions(&evidence), [""; 0]);
    let age = Some(Duration::from_secs(30));
    evidence.closes.closes = vec![ClosedConnection { code: None, age }];
    assert_eq!(
        questions(&evidence),
        ["DR506: the logs have more lines about connections that closed than doctor reads"]
    );
}

#[test]
fn without_built_code_nothing_is_known_of_the_code_of_functions() {
    let mut evidence = healthy();
    evidence.project.built.clear();
    assert_eq!(questions(&evidence), ["DR303: no built code to compare"]);
    // Elsewhere than in a project, nobody built code.
    evidence.project.is_known = false;
    assert_eq!(questions(&evidence), [""; 0]);
}

#[test]
fn a_right_under_a_condition_is_not_known() {
    let (_, mut evidence) = faults().into_iter().find(|(id, _)| *id == "DR311").unwrap();
    for verdict in evidence.rights.values_mut() {
        *verdict = RightVerdict::Policies(PolicyDecision::Conditional);
    }
    let report = DoctorReport::new(&evidence, None);
    assert_eq!(report.findings, []);
    assert_eq!(ids(&report.incomplete), ["DR311"]);
}

#[test]
fn every_next_step_has_at_most_one_command_and_no_placeholder() {
    for (id, mut evidence) in faults() {
        for is_known in [true, false] {
            evidence.project.is_known = is_known;
            evidence.project.selector = "--env prod".to_owned();
            for finding in DoctorReport::new(&evidence, None).findings {
                let next = &finding.next_step;
                assert!(!next.is_empty(), "{id}");
                let commands = next.split('`').skip(1).step_by(2);
                let commands: Vec<_> = commands
                    .filter(|text| text.starts_with("stackgen ") || text.starts_with("aws "))
                    .collect();
                assert!(commands.len() <= 1, "{id}: {next}");
                for command in commands {
                    let is_of_stage = command.starts_with("stackgen ")
                        && !command.starts_with("stackgen explain");
                    assert!(
                        !is_of_stage || command.contains("--env prod"),
                        "{id}: {next}"
                    );
                    let has_placeholder = command
                        .split_whitespace()
                        .any(|word| matches!(word, "ARN" | "ID" | "NAME"));
                    assert!(
                        !has_placeholder && !command.contains("{api}"),
                        "{id}: {next}"
                    );
                }
            }
        }
    }
}
