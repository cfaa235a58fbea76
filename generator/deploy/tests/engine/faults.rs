//! Whatever fails, and wherever: the stage serves a complete deployment, and running it again finishes.

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

/// New code, pinned: every kind of call there is.
fn everything() -> RedeployRequest {
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

/// The stage serves what it served, or what the account holds and then state; never anything in between.
fn serves_something_complete(memory: &Memory, context: &str) {
    let (served, frozen) = memory
        .serves()
        .unwrap_or_else(|| panic!("{context}: it serves nothing"));
    assert_eq!(served.status, DeploymentState::Deployed, "{context}");
    if served.id.as_str() != "old" {
        let digest = frozen.wiring(&account_region()).digest;
        assert_eq!(served.metadata().unwrap().digest, digest, "{context}");
    }
}

/// The stage serves what the account holds, with the new code pinned.
fn serves_all_of_it(memory: &Memory, context: &str) {
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

async fn within_an_hour(memory: &Memory, answers: &Answers, request: &RedeployRequest) {
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
            block_on(within_an_hour(
                &memory,
                &Answers::with(&[101]),
                &everything(),
            ));
            if memory.calls.borrow().len() <= at {
                break;
            }
            places += 1;
            serves_something_complete(&memory, &context);
            memory.fault.set(None);
            let again = block_on(run(&memory, &Answers::with(&[101]), &everything())).0;
            assert!(again.is_ok(), "{context}: {again:?}");
            serves_all_of_it(&memory, &context);
            let third = block_on(run(&memory, &Answers::with(&[101]), &everything())).0;
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
            let (outcome, _) = block_on(run(&memory, &Answers::with(&[101]), &everything()));
            if memory.calls.borrow().len() <= at {
                break;
            }
            assert!(outcome.is_ok(), "{context}: {outcome:?}");
            serves_all_of_it(&memory, &context);
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
            block_on(within_an_hour(
                &memory,
                &Answers::with(&[502]),
                &everything(),
            ));
            if memory.calls.borrow().len() <= at {
                break;
            }
            serves_something_complete(&memory, &context);
            memory.fault.set(None);
            let again = block_on(run(&memory, &Answers::with(&[101]), &everything())).0;
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
            block_on(within_an_hour(&memory, &Answers::with(&[status]), &everything()));
            serves_something_complete(&memory, &format!("{fault:?} at call {at}"));
        }
        memory.fault.set(None);
        let last = block_on(run(&memory, &Answers::with(&[101]), &everything())).0;
        prop_assert!(last.is_ok(), "{last:?}");
        serves_all_of_it(&memory, "in the end");
    }
}
