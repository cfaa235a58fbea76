//! The first cause of a failed operation, and what remains of it where events cannot be read.

use stackgen_deploy::stack::{FailureCause, StackError};

use crate::account::SimulatedStacks;
use crate::release::{Ended, Release};
use crate::simulated::FailureReason;

/// A creation and an update that fail for a reason, with and without a change set.
fn releases(reason: FailureReason) -> Vec<(SimulatedStacks, Release)> {
    let account = |is_update: bool| {
        let stacks = SimulatedStacks::new(1);
        if is_update {
            let created = Release::of("before").run(&stacks);
            assert!(matches!(created, Ended::Deployed), "{created:?}");
        }
        stacks.fail_by(reason);
        stacks
    };
    let mut all = Vec::new();
    for is_update in [false, true] {
        all.push((account(is_update), Release::of("a")));
        all.push((account(is_update), Release::direct("a", 1)));
    }
    all
}

/// Runs a release that must fail, and returns the cause.
fn cause(stacks: &SimulatedStacks, release: &Release) -> Option<FailureCause> {
    match release.run(stacks) {
        Ended::Failed(StackError::Failed { cause, .. }) => cause.map(|cause| *cause),
        ended => panic!("{ended:?}"),
    }
}

#[test]
fn the_hook_that_failed_an_operation_is_the_first_cause() {
    for (stacks, release) in releases(FailureReason::Hook) {
        let cause = cause(&stacks, &release).unwrap();
        assert_eq!(cause.status, "HOOK_FAILED");
        assert_eq!(cause.reason.unwrap(), "Org::Checks::Runtime: no");
        assert_eq!(release.skipped.take(), Vec::<String>::new());
        assert_eq!(stacks.reads_of("DescribeStackEvents"), 0);
    }
}

#[test]
fn an_emulator_that_names_no_operations_is_followed_by_its_stack_events() {
    for (stacks, release) in releases(FailureReason::Hook) {
        stacks.emulate();
        let cause = cause(&stacks, &release).unwrap();
        assert_eq!(cause.reason.unwrap(), "it does not work");
        assert_eq!(release.skipped.take(), Vec::<String>::new());
    }
}

#[test]
fn without_describe_events_the_stack_events_have_the_cause_and_one_note_says_so() {
    for (stacks, release) in releases(FailureReason::Hook) {
        stacks.deny("DescribeEvents");
        let cause = cause(&stacks, &release).unwrap();
        assert_eq!(cause.reason.unwrap(), "it does not work");
        let skipped = release.skipped.take();
        let mut notes = skipped
            .iter()
            .filter(|what| what.contains("DescribeStackEvents"));
        assert!(
            notes.next().is_some() && notes.next().is_none(),
            "{skipped:?}"
        );
    }
}

#[test]
fn the_resource_of_a_nested_stack_that_failed_is_the_first_cause() {
    let accounts: [fn(&SimulatedStacks); 3] = [
        |_| {},
        SimulatedStacks::emulate,
        |stacks| stacks.deny("DescribeEvents"),
    ];
    for account in accounts {
        for (stacks, release) in releases(FailureReason::NestedTable) {
            account(&stacks);
            let cause = cause(&stacks, &release).unwrap();
            assert_eq!(cause.nested_in, ["Nested"]);
            assert_eq!(cause.logical_id, "Table");
            assert_eq!(cause.reason.unwrap(), "limit exceeded");
        }
    }
}

#[test]
fn a_nested_stack_that_cannot_be_read_is_the_first_cause_itself() {
    for (stacks, release) in releases(FailureReason::NestedTable) {
        stacks.deny_nested_stacks();
        let cause = cause(&stacks, &release).unwrap();
        assert_eq!(cause.nested_in, Vec::<String>::new());
        assert_eq!(cause.logical_id, "Nested");
        assert_eq!(
            release.skipped.take(),
            ["reading the events of nested stack Nested"]
        );
    }
}

#[test]
fn without_any_events_the_failure_is_reported_all_the_same() {
    for (stacks, release) in releases(FailureReason::Hook) {
        stacks.deny("DescribeEvents");
        stacks.deny("DescribeStackEvents");
        assert_eq!(cause(&stacks, &release), None);
    }
}

#[test]
fn another_release_is_refused_as_busy_even_if_events_cannot_be_read() {
    let stacks = SimulatedStacks::new(1);
    stacks.crash_after("CreateStack");
    assert!(matches!(
        Release::direct("a", 1).run(&stacks),
        Ended::Crashed
    ));
    stacks.deny("DescribeEvents");
    stacks.deny("DescribeStackEvents");
    let other = Release::direct("b", 2).run(&stacks);
    assert!(
        matches!(other, Ended::Failed(StackError::Busy { .. })),
        "{other:?}"
    );
}
