//! Redeploying a stage.

use stackgen_deploy::account::ApiDescription;
use stackgen_deploy::redeploy::{RedeployOutcome, RedeployRequest, plan, redeploy};
use stackgen_deploy::{
    AccountError, AccountErrorKind, CreatedBy, DeployError, DeployStep, DeploymentId,
    DeploymentState, Interrupt, OperationContext, RetryPolicy,
};

use crate::memory::{Fault, Memory, account_region, by_hand, route};
use crate::support::{Answers, at, context, index_of, request, run};

#[tokio::test(start_paused = true)]
async fn a_stale_stage_gets_a_new_deployment_with_the_digest_in_its_description() {
    let memory = Memory::holding(|state| state.pending = 3);
    let (outcome, _) = run(&memory, &Answers::with(&[101]), &request()).await;
    let Ok(RedeployOutcome::Deployed {
        deployment,
        previous,
        digest,
        evidence,
        ..
    }) = outcome
    else {
        panic!("{outcome:?}")
    };
    let (served, frozen) = memory.serves().unwrap();
    assert_eq!(
        (served.id, previous),
        (deployment, Some(DeploymentId::new("old")))
    );
    assert_eq!(frozen.wiring(&account_region()).digest, digest);
    assert_eq!(
        served.description.unwrap(),
        format!(
            "stackgen sha256:{digest} format:2 digest:1 tried:2026-11-22T02:42:52Z by:anonymous run:run1 \
             previous:old git:abc1234 env:dev"
        )
    );
    insta::assert_snapshot!(evidence.unwrap(), @"101: a WebSocket was opened (2 attempts)");
    insta::assert_snapshot!(memory.calls.borrow().join(" "), @"GetCallerIdentity GetStage GetApi GetRoutes GetIntegrations GetAuthorizers GetDeployments CreateDeployment GetDeployment GetDeployment GetDeployment GetDeployment GetApi GetRoutes GetIntegrations GetAuthorizers GetStage UpdateStage GetStage GetStage UpdateDeployment");
}

#[tokio::test(start_paused = true)]
async fn a_current_and_verified_stage_is_left_alone() {
    let memory = Memory::stale();
    let first = run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap();
    let RedeployOutcome::Deployed {
        deployment, digest, ..
    } = first
    else {
        panic!("{first:?}")
    };
    memory.calls.borrow_mut().clear();
    let second = run(&memory, &Answers::with(&[500]), &request())
        .await
        .0
        .unwrap();
    let created_by = CreatedBy::Redeploy;
    assert_eq!(
        second,
        RedeployOutcome::Current {
            deployment,
            digest,
            created_by,
            verified: true,
            evidence: None,
        }
    );
    assert!(
        memory
            .calls
            .borrow()
            .iter()
            .all(|call| call.starts_with("Get"))
    );
    let forced = RedeployRequest {
        force: true,
        ..request()
    };
    let third = run(&memory, &Answers::with(&[101]), &forced)
        .await
        .0
        .unwrap();
    assert!(matches!(third, RedeployOutcome::Deployed { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_fails_is_deleted_and_moves_no_stage() {
    let memory = Memory::holding(|state| {
        (state.pending, state.becomes) = (2, DeploymentState::Failed);
    });
    let error = run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap_err();
    insta::assert_snapshot!(error, @"deployment new1 failed: no; the stage was not moved");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
    assert_eq!(memory.ids(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_stays_pending_is_deleted_and_moves_no_stage() {
    let memory = Memory::holding(|state| state.pending = u32::MAX);
    let error = run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap_err();
    insta::assert_snapshot!(error, @"deployment new1 is still PENDING after 120 s; the stage was not moved");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
    assert_eq!(memory.ids(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn a_move_that_stays_invisible_is_not_reported_as_a_move_by_another_run() {
    let memory = Memory::holding(|state| state.frozen_stage = true);
    let error = run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap_err();
    insta::assert_snapshot!(error, @"stage dev still serves old 10 s after API Gateway accepted new1; if it serves new1 later, that is not verified");
}

#[tokio::test(start_paused = true)]
async fn a_refused_move_leaves_no_deployment() {
    let memory = Memory::stale();
    let at = index_of("UpdateStage").await;
    memory
        .fault
        .set(Some((at, Fault::Refused(AccountErrorKind::AccessDenied))));
    run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap_err();
    assert_eq!(memory.ids(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_changes_during_a_redeploy_is_deployed_in_its_final_state() {
    let memory = Memory::stale();
    let creates = index_of("CreateDeployment").await;
    *memory.interference.borrow_mut() = Some((
        creates,
        std::rc::Rc::new(|state| state.description.parts.push(route("late"))),
    ));
    let (outcome, steps) = run(&memory, &Answers::with(&[101]), &request()).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(memory.calls.borrow()[creates], "CreateDeployment");
    assert!(
        steps.iter().any(|step| step.starts_with("ApiChanged")),
        "{steps:?}"
    );
    let (served, frozen) = memory.serves().unwrap();
    assert_eq!(
        served.metadata().unwrap().digest,
        frozen.wiring(&account_region()).digest
    );
    assert_eq!(memory.ids(), ["old", "new2"]);
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_another_run_moves_is_left_alone() {
    let mut refused = 0;
    for at in 0..40 {
        let memory = Memory::holding(|state| {
            let description = state.description.clone();
            state
                .deployments
                .push((by_hand("theirs", 1_500), description));
        });
        *memory.interference.borrow_mut() = Some((
            at,
            std::rc::Rc::new(|state| state.stage.deployment = Some(DeploymentId::new("theirs"))),
        ));
        let (outcome, _) = run(&memory, &Answers::with(&[101]), &request()).await;
        let calls = memory.calls.borrow();
        let Some(call) = calls.get(at) else {
            break;
        };
        let serves = memory.serves().unwrap().0.id;
        match &outcome {
            Err(DeployError::Moved { .. }) => {
                refused += 1;
                assert_eq!(serves.as_str(), "theirs", "call {at}, {call}");
            }
            // Before the first read, it is what the stage served. Between the last read and UpdateStage, it is overwritten.
            // After the last read, it goes unnoticed.
            Ok(_) => assert!(
                at <= 1 || *call == "UpdateStage" || serves.as_str() == "theirs",
                "call {at}, {call}"
            ),
            Err(other) => panic!("call {at}, {call}: {other}"),
        }
    }
    assert!(refused > 3, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn an_interruption_leaves_a_complete_deployment() {
    let memory = Memory::holding(|state| state.pending = 5);
    let mut unverified = 0;
    for moment in 0..30 {
        let ids = memory.ids();
        let (sender, receiver) = tokio::sync::watch::channel(false);
        let steps = std::cell::Cell::new(0);
        let (retry, interrupt) = (RetryPolicy::default(), Interrupt::new(receiver));
        let count = |_: DeployStep<'_>| {
            steps.set(steps.get() + 1);
            if steps.get() > moment {
                sender.send(true).unwrap();
            }
        };
        let ctx = OperationContext {
            retry: &retry,
            steps: &count,
            interrupt: &interrupt,
            now: || at(1_795_315_372),
        };
        let forced = RedeployRequest {
            force: true,
            ..request()
        };
        let answers = Answers::with(&[101]);
        let outcome = redeploy(&memory, &answers, &forced, ctx).await;
        let (served, _) = memory.serves().unwrap();
        assert_eq!(served.status, DeploymentState::Deployed);
        match outcome {
            Ok(_) => {
                assert!(unverified > 0);
                return;
            }
            // No deployment is left that no stage ever served.
            Err(DeployError::Interrupted) => assert_eq!(memory.ids(), ids, "step {moment}"),
            Err(DeployError::InterruptedUnverified { deployment, .. }) => {
                unverified += 1;
                assert_eq!(served.id, deployment);
            }
            Err(other) => panic!("step {moment}: {other}"),
        }
    }
    panic!("no run finished");
}

#[tokio::test(start_paused = true)]
async fn a_plan_changes_nothing() {
    let memory = Memory::stale();
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    let found = plan(&memory, &request(), ctx).await.unwrap();
    assert!(found.deploys);
    assert!(
        memory
            .calls
            .borrow()
            .iter()
            .all(|call| call.starts_with("Get"))
    );
    run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap();
    assert!(!plan(&memory, &request(), ctx).await.unwrap().deploys);
}

#[tokio::test(start_paused = true)]
async fn a_plan_with_force_deploys_and_verifies_a_current_stage() {
    let memory = Memory::stale();
    let (outcome, _) = run(&memory, &Answers::with(&[101]), &request()).await;
    outcome.unwrap();
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    let current = plan(&memory, &request(), ctx).await.unwrap();
    assert_eq!((current.deploys, current.verifies), (false, false));
    let forced = RedeployRequest {
        force: true,
        ..request()
    };
    let forced = plan(&memory, &forced, ctx).await.unwrap();
    assert_eq!((forced.deploys, forced.verifies), (true, true));
}

/// Returns the number of attempts of a call that always fails.
async fn attempts(kind: AccountErrorKind) -> usize {
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    let times = std::cell::Cell::new(0);
    let failing = || async {
        times.set(times.get() + 1);
        Err::<(), _>(AccountError {
            kind,
            operation: "GetApis",
            message: "no".to_owned(),
            permission: String::new(),
        })
    };
    ctx.call(failing).await.unwrap_err();
    times.get()
}

#[tokio::test(start_paused = true)]
async fn unreachable_endpoints_get_fewer_attempts() {
    assert_eq!(attempts(AccountErrorKind::AccessDenied).await, 1);
    assert_eq!(attempts(AccountErrorKind::Unreachable).await, 4);
    assert_eq!(attempts(AccountErrorKind::TooManyRequests).await, 10);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_list_is_read_again_without_the_lists_before_it() {
    let memory = Memory::stale();
    let throttled = Fault::Refused(AccountErrorKind::TooManyRequests);
    memory.fault.set(Some((2, throttled)));
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let api = Memory::api().id;
    let read = ApiDescription::read(&memory, &api, context(&retry, &interrupt));
    let read = read.await.unwrap();
    let all = memory.state.borrow().description.parts.len();
    assert_eq!(read.parts.len(), all);
    insta::assert_snapshot!(memory.calls.borrow().join(" "), @"GetApi GetRoutes GetIntegrations GetIntegrations GetAuthorizers");
}

#[tokio::test(start_paused = true)]
async fn deleting_an_unused_deployment_is_repeated_when_it_is_throttled() {
    let memory = Memory::stale();
    let creates = index_of("CreateDeployment").await;
    *memory.interference.borrow_mut() = Some((
        creates,
        std::rc::Rc::new(|state| state.description.parts.push(route("late"))),
    ));
    // The API is read twice, because a first read that differs may show an earlier state.
    let lists = 2 * 4;
    memory.fault.set(Some((
        creates + lists + 1,
        Fault::Refused(AccountErrorKind::TooManyRequests),
    )));
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    assert!(outcome.is_ok(), "{outcome:?}");
    let calls = memory.calls.borrow();
    let deletes = calls.iter().filter(|call| **call == "DeleteDeployment");
    assert_eq!(deletes.count(), 2, "{calls:?}");
    assert_eq!(memory.ids(), ["old", "new2"]);
}
