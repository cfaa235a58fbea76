//! Releases of a stack against a simulated CloudFormation: crashes, lost answers, throttling, other pipelines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod account;
mod calls;
mod causes;
mod concurrency;
mod credentials;
mod names;
mod notes;
mod quotas;
mod release;
#[path = "../common/seeds.rs"]
mod seeds;
mod simulated;

use account::SimulatedStacks;
use release::{Ended, Release};
use simulated::Fault;
use stackgen_deploy::stack::{StackError, ValidationFinding};

/// Number of seeds of a normal run. `make simulate` runs a million.
const SEEDS: u64 = 1_000;

/// Seeds that failed once.
const FAILED: &str = include_str!("failed-seeds.txt");
const FILE: &str = "tests/releases/failed-seeds.txt";

/// Runs releases with faults at random calls, and then without, and checks what must hold.
fn simulate(seed: u64) {
    let stacks = SimulatedStacks::new(seed);
    let mut random = fastrand::Rng::with_seed(seed ^ 0x5eed);
    let mut wanted = "template-0".to_owned();
    if seed % 2 == 1 {
        stacks.read_earlier_states();
    }
    if seed % 8 > 5 {
        stacks.emulate();
    }
    for step in 0..4 {
        stacks.settle();
        if step == 0 || random.bool() {
            wanted = format!("template-{}", random.u8(0..3));
        }
        stacks.inject_faults(true);
        let release = match random.u8(0..3) {
            0 => Release::direct(&wanted, random.u64(..)),
            _ => Release::of(&wanted),
        };
        let ended = release.run(&stacks);
        if matches!(ended, Ended::Deployed) {
            assert_eq!(
                stacks.template().as_deref(),
                Some(wanted.as_str()),
                "seed {seed}"
            );
        }
        stacks.assert_sound(seed);
    }
    // Once nothing fails any more, a rerun converges.
    stacks.inject_faults(false);
    stacks.finish_operations();
    stacks.settle();
    let mut ended = Release::of(&wanted).run(&stacks);
    if let Ended::Failed(StackError::Failed { .. }) = ended {
        stacks.settle();
        ended = Release::of(&wanted).run(&stacks);
    }
    assert!(matches!(ended, Ended::Deployed), "seed {seed}: {ended:?}");
    assert_eq!(
        stacks.template().as_deref(),
        Some(wanted.as_str()),
        "seed {seed}"
    );
    stacks.assert_sound(seed);
}

#[test]
fn a_rerun_converges_whatever_failed() {
    seeds::check(FILE, FAILED, SEEDS, simulate);
}

#[test]
fn a_lost_answer_of_an_execution_is_not_executed_again() {
    let stacks = SimulatedStacks::new(1);
    stacks.fail_next("ExecuteChangeSet", Fault::Lost);
    assert!(matches!(Release::of("a").run(&stacks), Ended::Deployed));
    assert_eq!(stacks.executions(), 1);
}

#[test]
fn a_lost_answer_of_a_creation_finds_the_change_set() {
    let stacks = SimulatedStacks::new(1);
    stacks.fail_next("CreateChangeSet", Fault::Lost);
    assert!(matches!(Release::of("a").run(&stacks), Ended::Deployed));
    assert_eq!(stacks.executions(), 1);
}

#[test]
fn a_run_that_ends_while_the_stack_is_updated_is_resumed() {
    let stacks = SimulatedStacks::new(1);
    stacks.crash_after("ExecuteChangeSet");
    assert!(matches!(Release::of("a").run(&stacks), Ended::Crashed));
    assert!(matches!(Release::of("a").run(&stacks), Ended::Deployed));
    assert_eq!(stacks.executions(), 1);
}

#[test]
fn a_run_continues_after_an_update_that_ends_while_the_state_is_read() {
    let stacks = SimulatedStacks::new(1);
    stacks.crash_after("ExecuteChangeSet");
    assert!(matches!(Release::of("a").run(&stacks), Ended::Crashed));
    stacks.end_operation_after_next_call();
    let again = Release::of("a").run(&stacks);
    assert!(matches!(again, Ended::Deployed), "{again:?}");
    assert_eq!(stacks.executions(), 1);
}

#[test]
fn a_release_refuses_while_another_one_runs() {
    let stacks = SimulatedStacks::new(1);
    stacks.crash_after("ExecuteChangeSet");
    assert!(matches!(Release::of("a").run(&stacks), Ended::Crashed));
    let other = Release::of("b").run(&stacks);
    assert!(
        matches!(other, Ended::Failed(StackError::Busy { .. })),
        "{other:?}"
    );
}

#[test]
fn a_stack_whose_creation_failed_is_created_again() {
    let stacks = SimulatedStacks::new(1);
    stacks.fail_operation();
    let first = Release::of("a").run(&stacks);
    let Ended::Failed(StackError::Failed { cause, .. }) = &first else {
        panic!("{first:?}");
    };
    assert_eq!(cause.as_ref().unwrap().logical_id, "Function");
    assert!(matches!(Release::of("a").run(&stacks), Ended::Deployed));
}

#[test]
fn an_unchanged_stack_is_not_updated() {
    let stacks = SimulatedStacks::new(1);
    assert!(matches!(Release::of("a").run(&stacks), Ended::Deployed));
    assert!(matches!(Release::of("a").run(&stacks), Ended::Deployed));
    assert_eq!(stacks.executions(), 1);
}

fn finding(fails: bool) -> ValidationFinding {
    ValidationFinding {
        logical_id: "RoomsTable".to_owned(),
        kind: "AWS::DynamoDB::Table".to_owned(),
        path: None,
        reason: "rooms already exists".to_owned(),
        fails,
    }
}

#[test]
fn findings_of_the_validation_are_in_the_error_and_no_stack_stays() {
    let stacks = SimulatedStacks::new(1);
    stacks.find(&[finding(true)]);
    let ended = Release::of("a").run(&stacks);
    let Ended::Failed(StackError::ChangeSetFailed { findings, .. }) = &ended else {
        panic!("{ended:?}");
    };
    assert_eq!(findings, &[finding(true)]);
    stacks.finish_operations();
    assert!(!stacks.exists());
    stacks.find(&[]);
    assert!(matches!(Release::of("a").run(&stacks), Ended::Deployed));
}

#[test]
fn a_warning_of_the_validation_and_events_that_cannot_be_read_stop_no_release() {
    let stacks = SimulatedStacks::new(1);
    stacks.find(&[finding(false)]);
    assert!(matches!(Release::of("a").run(&stacks), Ended::Deployed));
    stacks.fail_next("DescribeEvents", Fault::Denied);
    assert!(matches!(Release::of("b").run(&stacks), Ended::Deployed));
}

#[test]
fn a_direct_update_creates_and_updates_without_a_change_set() {
    let stacks = SimulatedStacks::new(1);
    for (template, run) in [("a", 1), ("b", 2), ("b", 3)] {
        let ended = Release::direct(template, run).run(&stacks);
        assert!(matches!(ended, Ended::Deployed), "{ended:?}");
        assert_eq!(stacks.template().as_deref(), Some(template));
    }
    assert_eq!(stacks.executions(), 2);
}

#[test]
fn a_lost_answer_of_a_direct_update_is_not_executed_again() {
    let stacks = SimulatedStacks::new(1);
    for (operation, template) in [("CreateStack", "a"), ("UpdateStack", "b")] {
        stacks.fail_next(operation, Fault::Lost);
        let ended = Release::direct(template, 1).run(&stacks);
        assert!(matches!(ended, Ended::Deployed), "{operation}: {ended:?}");
    }
    assert_eq!(stacks.executions(), 2);
}

#[test]
fn a_direct_update_that_was_killed_is_resumed_by_the_next_run_and_refused_to_others() {
    let stacks = SimulatedStacks::new(1);
    stacks.crash_after("CreateStack");
    assert!(matches!(
        Release::direct("a", 1).run(&stacks),
        Ended::Crashed
    ));
    let other = Release::direct("b", 2).run(&stacks);
    assert!(
        matches!(other, Ended::Failed(StackError::Busy { .. })),
        "{other:?}"
    );
    let resumed = Release::direct("a", 3).run(&stacks);
    assert!(matches!(resumed, Ended::Deployed), "{resumed:?}");
    assert_eq!(stacks.executions(), 1);
}
