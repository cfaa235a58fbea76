//! After any fault the stage serves a complete deployment, and another run finishes.

use std::time::Duration;

use proptest::prelude::*;
use stackgen_deploy::AccountErrorKind;
use stackgen_deploy::DeploymentState;
use stackgen_deploy::code::ReleaseMode;
use stackgen_deploy::redeploy::{RedeployOutcome, RedeployRequest};

use crate::memory::{Fault, Memory, account_region};
use crate::support::{Answers, built, request, run};

const FAULTS: [Fault; 8] = [
    Fault::Refused(AccountErrorKind::Conflict),
    Fault::Refused(AccountErrorKind::TooManyRequests),
    Fault::Refused(AccountErrorKind::AccessDenied),
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::Slow,
    Fault::EndsBefore,
    Fault::EndsAfter,
];

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(work)
}

/// A redeploy with every kind of call: new code in a pinned release, and pruning.
fn request_with_every_call() -> RedeployRequest {
    RedeployRequest {
        code: vec![built("hello", "code-2")],
        release: Some(ReleaseMode::Pinned),
        prune: Some(stackgen_deploy::prune::PrunePolicy {
            keep: 0,
            templates: true,
            all: true,
        }),
        ..request()
    }
}

fn stale() -> Memory {
    Memory::holding(|state| state.pending = 2)
}

/// Asserts that the stage serves a complete deployment: the old one, or one whose digest equals its snapshot.
fn assert_complete(memory: &Memory, context: &str) {
    let (served, frozen) = memory
        .serves()
        .unwrap_or_else(|| panic!("{context}: it serves nothing"));
    assert_eq!(served.status, DeploymentState::Deployed, "{context}");
    if served.id.as_str() != "old" {
        let digest = frozen.wiring(&account_region()).digest;
        assert_eq!(served.metadata().unwrap().digest, digest, "{context}");
    }
}

/// Asserts that the stage serves what the account holds, with the new code pinned.
fn assert_current(memory: &Memory, context: &str) {
    let (_, frozen) = memory.serves().unwrap();
    let state = memory.state.borrow();
    assert_eq!(
        frozen.wiring(&account_region()),
        state.description.wiring(&account_region()),
        "{context}"
    );
    let function = state.functions.values().next().unwrap();
    assert_eq!(function.versions, [("code-2".to_owned(), 1)], "{context}");
    let called = frozen.parts[0].invocation().unwrap().version().unwrap();
    assert_eq!(called.as_str(), "1", "{context}");
}

async fn run_for_an_hour(memory: &Memory, answers: &Answers, request: &RedeployRequest) {
    // A process that ended never answers.
    let _ = tokio::time::timeout(Duration::from_secs(3600), run(memory, answers, request)).await;
}

#[test]
fn after_any_single_fault_the_stage_is_complete_and_a_rerun_finishes() {
    let mut places = 0;
    for fault in FAULTS {
        for at in 0.. {
            let memory = stale();
            memory.fault.set(Some((at, fault)));
            let context = format!("{fault:?} at call {at}");
            block_on(run_for_an_hour(
                &memory,
                &Answers::with(&[101]),
                &request_with_every_call(),
            ));
            if memory.calls.borrow().len() <= at {
                break;
            }
            places += 1;
            assert_complete(&memory, &context);
            memory.fault.set(None);
            let again = block_on(run(
                &memory,
                &Answers::with(&[101]),
                &request_with_every_call(),
            ))
            .0;
            assert!(again.is_ok(), "{context}: {again:?}");
            assert_current(&memory, &context);
            let third = block_on(run(
                &memory,
                &Answers::with(&[101]),
                &request_with_every_call(),
            ))
            .0;
            assert!(
                matches!(third, Ok(RedeployOutcome::Current { .. })),
                "{context}: {third:?}"
            );
        }
    }
    assert!(places > 100, "{places}");
}

#[test]
fn transient_faults_need_no_second_run() {
    for fault in [
        Fault::Refused(AccountErrorKind::Conflict),
        Fault::Refused(AccountErrorKind::TooManyRequests),
        Fault::LostBefore,
        Fault::LostAfter,
        Fault::Slow,
    ] {
        for at in 0.. {
            let memory = stale();
            memory.fault.set(Some((at, fault)));
            let context = format!("{fault:?} at call {at}");
            let (outcome, _) = block_on(run(
                &memory,
                &Answers::with(&[101]),
                &request_with_every_call(),
            ));
            if memory.calls.borrow().len() <= at {
                break;
            }
            assert!(outcome.is_ok(), "{context}: {outcome:?}");
            assert_current(&memory, &context);
            let creates = memory
                .calls
                .borrow()
                .iter()
                .filter(|call| **call == "CreateDeployment")
                .count();
            let tried_again = matches!(fault, Fault::Refused(_) | Fault::LostBefore)
                && memory.calls.borrow()[at] == "CreateDeployment";
            assert_eq!(creates, if tried_again { 2 } else { 1 }, "{context}");
        }
    }
}

#[test]
fn a_fault_while_going_back_leaves_a_complete_deployment() {
    for fault in FAULTS {
        for at in 0.. {
            let memory = stale();
            memory.fault.set(Some((at, fault)));
            let context = format!("{fault:?} at call {at}");
            block_on(run_for_an_hour(
                &memory,
                &Answers::with(&[502]),
                &request_with_every_call(),
            ));
            if memory.calls.borrow().len() <= at {
                break;
            }
            assert_complete(&memory, &context);
            memory.fault.set(None);
            let again = block_on(run(
                &memory,
                &Answers::with(&[101]),
                &request_with_every_call(),
            ))
            .0;
            assert!(again.is_ok(), "{context}: {again:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn after_any_faults_in_any_runs_the_stage_is_complete_and_a_last_run_finishes(
        faults in prop::collection::vec((0..60usize, prop::sample::select(FAULTS.to_vec()), prop::sample::select(vec![101u16, 502])), 1..6),
        pending in 0..3u32,
    ) {
        let memory = Memory::holding(|state| state.pending = pending);
        for (at, fault, status) in faults {
            memory.calls.borrow_mut().clear();
            memory.fault.set(Some((at, fault)));
            block_on(run_for_an_hour(&memory, &Answers::with(&[status]), &request_with_every_call()));
            assert_complete(&memory, &format!("{fault:?} at call {at}"));
        }
        memory.fault.set(None);
        let last = block_on(run(&memory, &Answers::with(&[101]), &request_with_every_call())).0;
        prop_assert!(last.is_ok(), "{last:?}");
        assert_current(&memory, "in the end");
    }
}
