//! Answers that are lost, garbled, refused or endless.

use super::{DEPLOY, assert_fails, assert_rerun, calls_before_move, changed};
use crate::case::Health;
use crate::fault::Fault;
use crate::matrix::in_parallel;
use crate::proxy::{Action, Rule};
use crate::run::Run;
use crate::subject::Subject;
use crate::world::World;

#[test]
fn answers_that_are_lost_or_refused_after_the_move_are_no_success_of_a_broken_deployment() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let mut cases = Vec::new();
    for operation in ["UpdateStage", "GetStage"] {
        for fault in [
            Fault::CutAfter,
            Fault::RefusedAfter(403),
            Fault::RefusedAfter(404),
            Fault::HtmlAfter,
        ] {
            cases.extend([1, usize::MAX].map(|count| (operation, fault, count)));
        }
    }
    in_parallel(&cases, |world, &(operation, fault, count)| {
        let context = format!("{operation}, {fault}, {count} times");
        let recorded = changed(world, Health::Broken).run_with(DEPLOY, Vec::new());
        let first = calls_before_move(&recorded.calls, operation) + 1;
        let subject = changed(world, Health::Broken);
        let old = subject.served().unwrap();
        let rule = Rule::fault(operation, first..=first.saturating_add(count - 1), fault);
        let report = subject.run_with(DEPLOY, vec![rule]);
        assert!(report.rules_met > 0, "{context}: {}", report.run);
        assert_fails(&report.run, &context);
        assert_rerun(&subject, Health::Broken, &old, &context);
    });
}

#[test]
fn a_list_without_an_end_is_an_error() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let mut cases = Vec::new();
    for operation in ["GetRoutes", "GetIntegrations", "GetDeployments"] {
        for action in [Action::EmptyPage, Action::EmptyPageOfMany] {
            cases.push((operation, action));
        }
    }
    in_parallel(&cases, |world, (operation, action)| {
        let context = format!("{operation}, {action:?}");
        let subject = changed(world, Health::Healthy);
        let before = subject.deployment_ids();
        let endless = Rule::new(operation, 1.., action.clone());
        let report = subject.run_with(DEPLOY, vec![endless]);
        assert_fails(&report.run, &context);
        let says = report.run.stderr.contains("the list does not end");
        assert!(says, "{context}: {}", report.run);
        assert_eq!(subject.deployment_ids(), before, "{context}");
    });
}

/// The error of a run in which every GetApis is answered so.
fn with_every_get_apis(world: &World, fault: Fault) -> String {
    let subject = Subject::pinned(world);
    let rule = Rule::fault("GetApis", 1.., fault);
    let Run { stderr, .. } = subject.run_with(DEPLOY, vec![rule]).run;
    let error = stderr.split_once("error:").map(|(_, error)| error);
    error
        .unwrap_or_else(|| panic!("{stderr}"))
        .trim()
        .to_owned()
}

#[test]
fn get_apis_that_is_answered_with_a_web_page_names_a_proxy() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    insta::assert_snapshot!(with_every_get_apis(&world, Fault::HtmlAfter), @r"
    GetApis: the answer with status 200 is not from AWS
    help: check for a proxy, a captive portal or another server at this endpoint, which `--endpoint-url` or AWS_ENDPOINT_URL sets
    ");
}

#[test]
fn get_apis_that_is_answered_with_nothing_names_a_proxy() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    insta::assert_snapshot!(with_every_get_apis(&world, Fault::EmptyAfter), @r"
    GetApis: the answer has no items
    help: check for a proxy, a captive portal or another server at this endpoint, which `--endpoint-url` or AWS_ENDPOINT_URL sets
    ");
}

#[test]
fn get_apis_that_is_always_throttled_says_so() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    insta::assert_snapshot!(with_every_get_apis(&world, Fault::Refused(429)), @r"
    GetApis: injected 429
    help: AWS throttles these calls for all callers of the account and region together; run it again in a few minutes
    ");
}
