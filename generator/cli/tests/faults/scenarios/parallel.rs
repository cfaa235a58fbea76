//! Several runs at the same time.

use std::collections::BTreeSet;

use stackgen_gateway::apis::StoredDeploymentStatus;

use super::{DEPLOY, assert_rerun, changed};
use crate::case::Health;
use crate::journal::Move;
use crate::subject::Subject;
use crate::world::{Label, World};

#[test]
fn parallel_runs_of_a_healthy_api_have_a_winner_and_the_others_name_it() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    parallel(Health::Healthy, DEPLOY);
}

#[test]
fn parallel_forced_runs_of_a_healthy_api_have_a_winner_and_the_others_name_it() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    parallel(Health::Healthy, "deploy --redeploy-stage --force");
}

#[test]
fn parallel_runs_of_a_broken_api_are_never_green() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    parallel(Health::Broken, DEPLOY);
}

#[test]
fn parallel_forced_runs_of_a_broken_api_are_never_green() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    parallel(Health::Broken, "deploy --redeploy-stage --force");
}

#[test]
fn a_run_that_starts_while_another_one_tries_a_broken_deployment_is_not_green() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    for second in [DEPLOY, "deploy --redeploy-stage --force"] {
        let subject = changed(&world, Health::Broken);
        let old = subject.served().unwrap();
        for run in subject.run_during_verification(DEPLOY, second, Label::New) {
            assert_eq!(run.code(), Some(1), "{second}: {run}");
        }
        assert_serves_a_complete_deployment(&subject, second);
        assert_rerun(&subject, Health::Broken, &old, second);
    }
}

fn parallel(health: Health, line: &str) {
    let world = World::start();
    for count in [2, 3, 8] {
        let subject = changed(&world, health);
        let old = subject.served().unwrap();
        let before = subject.moves().len();
        let reports = subject.run_together(&vec![line; count]);
        let context = format!("{count} runs, {health:?}, {line}");
        let mut served = BTreeSet::from([old.clone()]);
        for one in &subject.moves()[before..] {
            if let Move::Activated(Some(deployment)) = one {
                served.insert(deployment.clone());
            }
        }
        let (green, red): (Vec<_>, Vec<_>) = reports
            .iter()
            .map(|report| &report.run)
            .partition(|run| run.is_green());
        for run in red {
            assert_eq!(run.code(), Some(1), "{context}: {run}");
            let names = served.iter().any(|id| run.stderr.contains(id.as_str()));
            assert!(names, "{context}: it names nothing that was served: {run}");
        }
        match health {
            Health::Healthy => {
                assert!(!green.is_empty(), "{context}: none is green");
                assert!(subject.is_proven(), "{context}: green, and not proven");
            }
            Health::Broken => assert!(green.is_empty(), "{context}: {}", green[0]),
        }
        assert_serves_a_complete_deployment(&subject, &context);
        assert_rerun(&subject, health, &old, &context);
    }
}

fn assert_serves_a_complete_deployment(subject: &Subject<'_>, context: &str) {
    let served = subject.served();
    let all = subject.deployments();
    let found = all
        .iter()
        .find(|one| Some(&one.deployment_id) == served.as_ref());
    let found = found.unwrap_or_else(|| panic!("{context}: the stage serves {served:?}"));
    assert_eq!(
        found.deployment_status,
        StoredDeploymentStatus::Deployed,
        "{context}"
    );
}
