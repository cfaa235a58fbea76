//! What redeploying does, and what it says.

use stackgen_deploy::redeploy::{Redeployed, plan};
use stackgen_deploy::{
    AccountError, AccountErrorKind, DeployError, DeploymentId, DeploymentStatus, Interrupt,
    OperationContext, RetryPolicy,
};

use crate::account::{Answers, Memory, by_hand, place, request, route, run};

#[tokio::test(start_paused = true)]
async fn a_stale_stage_serves_a_new_deployment_which_says_what_it_froze() {
    let memory = Memory::holding(|held| held.pending = 3);
    let (outcome, _) = run(&memory, &Answers::with(&[101]), &request()).await;
    let Ok(Redeployed::Deployed {
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
    assert_eq!(frozen.wiring(&place()).digest, digest);
    assert_eq!(
        served.description.unwrap(),
        format!("stackgen sha256:{digest} git:abc1234 env:dev")
    );
    insta::assert_snapshot!(evidence.unwrap(), @"101: a WebSocket was opened (2 handshakes)");
    insta::assert_snapshot!(memory.calls.borrow().join(" "), @"GetCallerIdentity GetStage GetRoutes GetDeployments GetDeployments CreateDeployment GetDeployment GetDeployment GetDeployment GetDeployment GetRoutes GetStage UpdateStage GetStage");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_when_the_stage_serves_just_this() {
    let memory = Memory::stale();
    let first = run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap();
    let Redeployed::Deployed {
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
    let maker = stackgen_deploy::CreatedBy::Redeploy;
    assert_eq!(
        second,
        Redeployed::Current {
            deployment,
            digest,
            maker
        }
    );
    assert!(
        memory
            .calls
            .borrow()
            .iter()
            .all(|call| call.starts_with("Get"))
    );
    let forced = stackgen_deploy::redeploy::Redeploy {
        force: true,
        ..request()
    };
    let third = run(&memory, &Answers::with(&[101]), &forced)
        .await
        .0
        .unwrap();
    assert!(matches!(third, Redeployed::Deployed { .. }));
}

#[tokio::test(start_paused = true)]
async fn row_d5_a_stage_under_auto_deploy_is_refused_before_anything_changes() {
    let memory = Memory::holding(|held| held.stage.auto_deploy = true);
    let request = stackgen_deploy::redeploy::Redeploy {
        code: vec![crate::account::built("hello", "code-2")],
        ..request()
    };
    let error = run(&memory, &Answers::with(&[101]), &request)
        .await
        .0
        .unwrap_err();
    insta::assert_snapshot!(error, @"stage dev of API api1 is under AutoDeploy: API Gateway deploys every change by itself, and refuses a deployment id (row D5)");
    assert!(
        memory
            .calls
            .borrow()
            .iter()
            .all(|call| call.starts_with("Get"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_fails_moves_nothing() {
    let memory = Memory::holding(|held| {
        (held.pending, held.becomes) = (2, DeploymentStatus::Failed);
    });
    let error = run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap_err();
    insta::assert_snapshot!(error, @"deployment new1 failed: no; the stage was not moved");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_stays_pending_is_given_up() {
    let memory = Memory::holding(|held| held.pending = u32::MAX);
    let error = run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap_err();
    insta::assert_snapshot!(error, @"deployment new1 is still PENDING after 120 s; the stage was not moved");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_does_not_answer_goes_back_and_nothing_goes_forward_to_the_failed_deployment()
{
    let memory = Memory::stale();
    let (outcome, steps) = run(&memory, &Answers::with(&[502]), &request()).await;
    let error = outcome.unwrap_err();
    insta::assert_snapshot!(error, @"stage dev did not answer as it should on deployment new1: 502: the function of $connect failed (row C6) (21 handshakes); old is restored, new1 is kept");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
    assert!(
        steps.iter().any(|step| step.starts_with("Restored")),
        "{steps:?}"
    );
    let held = memory.held.borrow();
    let failed = &held.deployments.last().unwrap().0;
    assert!(failed.label().unwrap().failed);
}

#[tokio::test(start_paused = true)]
async fn a_failed_deployment_is_deleted_if_that_is_wanted() {
    let memory = Memory::stale();
    let request = stackgen_deploy::redeploy::Redeploy {
        prune_failed: true,
        ..request()
    };
    let error = run(&memory, &Answers::with(&[504]), &request)
        .await
        .0
        .unwrap_err();
    assert!(matches!(error, DeployError::NotVerified(error) if error.pruned));
    assert_eq!(memory.ids(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn bad_answers_are_borne_while_the_move_is_not_seen_everywhere() {
    let memory = Memory::stale();
    let (outcome, _) = run(
        &memory,
        &Answers::with(&[403, 403, 101, 403, 101]),
        &request(),
    )
    .await;
    let Ok(Redeployed::Deployed {
        evidence: Some(evidence),
        ..
    }) = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(evidence.handshakes.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn refusing_strangers_is_an_answer_where_connect_is_guarded() {
    for (guard, good) in [("CUSTOM", true), ("AWS_IAM", true), ("NONE", false)] {
        let memory = Memory::holding(|held| {
            let connect = &mut held.description.parts[1].properties;
            connect.insert("AuthorizationType".to_owned(), guard.into());
        });
        let outcome = run(&memory, &Answers::with(&[403]), &request()).await.0;
        assert_eq!(outcome.is_ok(), good, "{guard}: {outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_said_to_be_fine_is_fine() {
    let memory = Memory::stale();
    let request = stackgen_deploy::redeploy::Redeploy {
        verify: Some(vec![403]),
        ..request()
    };
    assert!(
        run(&memory, &Answers::with(&[403]), &request)
            .await
            .0
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn an_api_that_changes_meanwhile_is_deployed_as_it_is_in_the_end() {
    let memory = Memory::stale();
    let creates = 5;
    *memory.else_does.borrow_mut() = Some((
        creates,
        std::rc::Rc::new(|held| held.description.parts.push(route("late"))),
    ));
    let (outcome, steps) = run(&memory, &Answers::with(&[101]), &request()).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(memory.calls.borrow()[creates], "CreateDeployment");
    assert!(
        steps.iter().any(|step| step.starts_with("Changed")),
        "{steps:?}"
    );
    let (served, frozen) = memory.serves().unwrap();
    assert_eq!(
        served.label().unwrap().digest,
        frozen.wiring(&place()).digest
    );
    assert_eq!(memory.ids(), ["old", "new2"]);
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_somebody_else_moves_is_left_where_it_is() {
    let mut refused = 0;
    for at in 0..40 {
        let memory = Memory::holding(|held| {
            let description = held.description.clone();
            held.deployments
                .push((by_hand("theirs", 1_500), description));
        });
        *memory.else_does.borrow_mut() = Some((
            at,
            std::rc::Rc::new(|held| held.stage.deployment = Some(DeploymentId::new("theirs"))),
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
            // Before the first look it is simply what the stage served; between the last look and the move nobody can
            // tell; after the last confirmation it is not ours to look after.
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
    let memory = Memory::holding(|held| held.pending = 5);
    let mut untried = 0;
    for moment in 0..30 {
        let ids = memory.ids();
        let (tell, told) = tokio::sync::watch::channel(false);
        let steps = std::cell::Cell::new(0);
        let (retry, interrupt) = (RetryPolicy::default(), Interrupt::new(told));
        let count = |_: stackgen_deploy::Step<'_>| {
            steps.set(steps.get() + 1);
            if steps.get() > moment {
                tell.send(true).unwrap();
            }
        };
        let ctx = OperationContext {
            retry: &retry,
            steps: &count,
            interrupt: &interrupt,
        };
        let forced = stackgen_deploy::redeploy::Redeploy {
            force: true,
            ..request()
        };
        let answers = Answers::with(&[101]);
        let outcome = stackgen_deploy::redeploy::redeploy(&memory, &answers, &forced, ctx).await;
        let (served, _) = memory.serves().unwrap();
        assert_eq!(served.status, DeploymentStatus::Deployed);
        match outcome {
            Ok(_) => {
                assert!(untried > 0);
                return;
            }
            // Nothing is left that no stage ever served.
            Err(DeployError::Interrupted) => assert_eq!(memory.ids(), ids, "step {moment}"),
            Err(DeployError::NotTried { deployment, .. }) => {
                untried += 1;
                assert_eq!(served.id, deployment);
            }
            Err(other) => panic!("step {moment}: {other}"),
        }
    }
    panic!("it never came through");
}

#[tokio::test(start_paused = true)]
async fn a_plan_changes_nothing() {
    let memory = Memory::stale();
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = OperationContext {
        retry: &retry,
        steps: &|_| {},
        interrupt: &interrupt,
    };
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

/// How often a call that always fails so is made.
async fn tried(kind: AccountErrorKind) -> usize {
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = OperationContext {
        retry: &retry,
        steps: &|_| {},
        interrupt: &interrupt,
    };
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
async fn what_cannot_be_reached_is_not_tried_for_long() {
    assert_eq!(tried(AccountErrorKind::AccessDenied).await, 1);
    assert_eq!(tried(AccountErrorKind::Unreachable).await, 4);
    assert_eq!(tried(AccountErrorKind::TooManyRequests).await, 10);
}
