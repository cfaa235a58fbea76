//! Deployments that fail verification, and moves that are refused.

use super::{DEPLOY, assert_fails, assert_rerun, changed, served_description};
use crate::case::Health;
use crate::fault::Fault;
use crate::proxy::{Action, Rule};
use crate::subject::Subject;
use crate::world::{Label, World};

#[test]
fn a_first_deployment_that_is_broken_is_never_green() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    let subject = Subject::live(&world);
    subject.break_connect(Label::Old);
    for run in 1..=3 {
        let report = subject.run(DEPLOY);
        assert_fails(&report, &format!("run {run}"));
    }
    subject.mend_connect(Label::Old);
    subject.must(DEPLOY);
    assert!(subject.is_proven());
}

#[test]
fn a_broken_deployment_that_cannot_be_moved_back_is_marked_and_stays_red() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    let subject = changed(&world, Health::Broken);
    let old = subject.served().unwrap();
    let refused = Rule::fault("UpdateStage", 2.., Fault::Refused(403));
    let report = subject.run_with(DEPLOY, vec![refused]);
    assert!(report.rules_met > 0, "{}", report.run);
    assert_fails(&report.run, "the move back is refused");
    assert_ne!(subject.served().as_ref(), Some(&old));
    let description = served_description(&subject);
    assert!(description.contains(" failed:"), "{description}");
    assert_rerun(&subject, Health::Broken, &old, "rerun");
}

#[test]
fn a_move_that_is_refused_leaves_no_deployment() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    let subject = changed(&world, Health::Healthy);
    let (old, before) = (subject.served().unwrap(), subject.deployment_ids());
    let refused = Rule::fault("UpdateStage", 1.., Fault::Refused(403));
    let report = subject.run_with(DEPLOY, vec![refused]);
    assert_fails(&report.run, "the move is refused");
    assert!(
        report.run.stderr.contains("apigateway:PATCH on"),
        "{}",
        report.run
    );
    assert_eq!(subject.deployment_ids(), before);
    assert_eq!(subject.served(), Some(old.clone()));
    assert_rerun(&subject, Health::Healthy, &old, "rerun");
}

#[test]
fn an_authorizer_that_refuses_the_caller_proves_nothing_of_a_broken_connect() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    let subject = changed(&world, Health::Broken);
    subject.guard_connect();
    let old = subject.served().unwrap();
    for run in 1..=2 {
        let report = subject.run(DEPLOY);
        assert_fails(&report, &format!("run {run}"));
        assert!(report.stderr.contains("authorizer only"), "{report}");
        assert_eq!(subject.served(), Some(old.clone()), "run {run}: {report}");
    }
    assert_eq!(subject.deployment_ids(), [old]);
}

#[test]
fn a_move_that_is_seen_late_never_says_that_the_stage_serves_x_and_not_x() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    for health in [Health::Healthy, Health::Broken] {
        let calls = changed(&world, health).run_with(DEPLOY, Vec::new()).calls;
        let first = super::calls_before_move(&calls, "GetStage") + 1;
        for late in [1, 2, 5, 1_000] {
            let context = format!("{health:?}, {late} old answers");
            let subject = changed(&world, health);
            let old = subject.served().unwrap();
            let replay = Rule::new("GetStage", first..first + late, Action::Replay);
            let report = subject.run_with(DEPLOY, vec![replay]);
            assert!(report.rules_met > 0, "{context}: {}", report.run);
            let contradiction = crate::oracle::contradiction(&report.run.stderr);
            assert_eq!(contradiction, None, "{context}: {}", report.run);
            let is_seen = health == Health::Healthy && late < 1_000;
            match is_seen {
                true => assert!(report.run.is_green(), "{context}: {}", report.run),
                false => assert_fails(&report.run, &context),
            }
            assert_rerun(&subject, health, &old, &context);
        }
    }
}
