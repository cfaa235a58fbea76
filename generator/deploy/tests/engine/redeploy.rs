//! What redeploying does, and what it says.

use stackgen_deploy::account::ApiDescription;
use stackgen_deploy::redeploy::{Redeploy, Redeployed, plan};
use stackgen_deploy::{
    AccountError, AccountErrorKind, Caller, CustomDomain, DeployError, DeploymentId,
    DeploymentStatus, DomainMapping, Interrupt, OperationContext, RetryPolicy, StageName,
    Verification,
};

use crate::account::{
    Answers, Fault, Memory, account_region, by_hand, context, request, route, run,
};

/// Returns the index of the first call of an operation in a redeploy that succeeds.
async fn index_of(operation: &str) -> usize {
    let memory = Memory::stale();
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    outcome.unwrap();
    let calls = memory.calls.borrow();
    calls.iter().position(|call| *call == operation).unwrap()
}

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
    assert_eq!(frozen.wiring(&account_region()).digest, digest);
    assert_eq!(
        served.description.unwrap(),
        format!(
            "stackgen sha256:{digest} format:2 digest:1 tried:2026-11-22T02:42:52Z by:anonymous run:run1 \
             previous:old git:abc1234 env:dev"
        )
    );
    insta::assert_snapshot!(evidence.unwrap(), @"101: a WebSocket was opened (2 attempts)");
    insta::assert_snapshot!(memory.calls.borrow().join(" "), @"GetCallerIdentity GetStage GetApi GetRoutes GetIntegrations GetAuthorizers GetModels GetDeployments CreateDeployment GetDeployment GetDeployment GetDeployment GetDeployment GetApi GetRoutes GetIntegrations GetAuthorizers GetModels GetStage UpdateStage GetStage GetStage UpdateDeployment");
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
            maker,
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
async fn a_deployment_that_fails_is_deleted_and_moves_nothing() {
    let memory = Memory::holding(|held| {
        (held.pending, held.becomes) = (2, DeploymentStatus::Failed);
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
async fn a_deployment_that_stays_pending_is_deleted_and_moves_nothing() {
    let memory = Memory::holding(|held| held.pending = u32::MAX);
    let error = run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap_err();
    insta::assert_snapshot!(error, @"deployment new1 is still PENDING after 120 s; the stage was not moved");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
    assert_eq!(memory.ids(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_does_not_answer_goes_back_and_nothing_goes_forward_to_the_failed_deployment()
{
    let memory = Memory::stale();
    let (outcome, steps) = run(&memory, &Answers::with(&[502]), &request()).await;
    let error = outcome.unwrap_err();
    insta::assert_snapshot!(error, @"stage dev did not answer as it should on deployment new1: 502: the function of $connect failed (row C6) (21 attempts); old is restored, new1 is kept");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
    assert!(
        steps.iter().any(|step| step.starts_with("Restored")),
        "{steps:?}"
    );
    let held = memory.held.borrow();
    let failed = &held.deployments.last().unwrap().0;
    assert!(failed.metadata().unwrap().failed());
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

/// An account whose `$connect` has this AuthorizationType.
fn guarded(guard: &'static str) -> Memory {
    Memory::holding(|held| {
        let connect = &mut held.description.parts[1].properties;
        connect.insert("AuthorizationType".to_owned(), guard.into());
    })
}

fn verified_as(callers: Vec<Caller>) -> Redeploy {
    Redeploy {
        verify: Some(Verification {
            callers,
            also: Vec::new(),
        }),
        ..request()
    }
}

fn speaker() -> Caller {
    Caller {
        name: "speaker".to_owned(),
        has_credentials: true,
        ..Caller::anonymous()
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_that_refuses_strangers_verifies_nothing_and_the_stage_goes_back() {
    for guard in ["CUSTOM", "AWS_IAM"] {
        let memory = guarded(guard);
        let error = run(&memory, &Answers::with(&[401]), &request()).await.0;
        let error = error.unwrap_err();
        assert!(error.to_string().contains("authorizer only"), "{error}");
        assert!(
            error.to_string().contains("could not be verified"),
            "{error}"
        );
        // The stage serves what it served, and no leftover is there to go back to later.
        assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
        assert_eq!(memory.ids(), ["old"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_declared_refusal_verifies_nothing_unless_another_caller_gets_through() {
    let stranger = Caller {
        status: Some(401),
        ..Caller::anonymous()
    };
    let memory = guarded("CUSTOM");
    let alone = verified_as(vec![stranger.clone()]);
    let error = run(&memory, &Answers::with(&[401]), &alone).await.0;
    assert!(matches!(error, Err(DeployError::NotVerified(error)) if error.inconclusive));
    let memory = guarded("CUSTOM");
    let both = verified_as(vec![stranger, speaker()]);
    let outcome = run(&memory, &Answers::with(&[401, 101, 401, 101]), &both)
        .await
        .0;
    assert!(matches!(
        outcome,
        Ok(Redeployed::Deployed { verified: true, .. })
    ));
    let description = memory.serves().unwrap().0.description.unwrap();
    assert!(
        description.contains(" by:anonymous,speaker "),
        "{description}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_caller_with_credentials_that_is_refused_is_a_failure() {
    let memory = guarded("CUSTOM");
    let request = verified_as(vec![speaker()]);
    let error = run(&memory, &Answers::with(&[403]), &request).await.0;
    assert!(matches!(error, Err(DeployError::NotVerified(error)) if !error.inconclusive));
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
}

#[tokio::test(start_paused = true)]
async fn a_status_of_the_connect_function_verifies_only_if_it_is_declared() {
    let refused = run(&Memory::stale(), &Answers::with(&[400]), &request())
        .await
        .0;
    assert!(
        matches!(refused, Err(DeployError::NotVerified(_))),
        "{refused:?}"
    );
    let declared = verified_as(vec![Caller {
        status: Some(400),
        ..Caller::anonymous()
    }]);
    let fine = run(&Memory::stale(), &Answers::with(&[400]), &declared)
        .await
        .0;
    assert!(fine.is_ok(), "{fine:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_deployment_that_is_broken_is_never_current() {
    let memory = Memory::holding(|held| {
        held.deployments.clear();
        held.stage.deployment = None;
    });
    for _ in 0..3 {
        let outcome = run(&memory, &Answers::with(&[502]), &request()).await.0;
        assert!(
            matches!(outcome, Err(DeployError::NotVerified(_))),
            "{outcome:?}"
        );
    }
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// An account in which a run was killed after UpdateStage: the stage serves what nobody tried.
async fn killed_after_the_move() -> Memory {
    let memory = Memory::stale();
    let at = index_of("UpdateStage").await;
    memory.fault.set(Some((at, Fault::EndsAfter)));
    let answers = Answers::with(&[101]);
    let request = request();
    let run = run(&memory, &answers, &request);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(3600), run).await;
    assert!(ended.is_err());
    memory.fault.set(None);
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "new1");
    memory
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_run_left_serving_is_tried_before_it_is_called_current() {
    let memory = killed_after_the_move().await;
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    assert!(
        matches!(
            &outcome,
            Ok(Redeployed::Current {
                verified: true,
                evidence: Some(_),
                ..
            })
        ),
        "{outcome:?}"
    );
    assert!(memory.serves().unwrap().0.metadata().unwrap().passed());
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_run_left_broken_is_marked_and_the_stage_goes_back_to_what_served_before() {
    let memory = killed_after_the_move().await;
    let error = run(&memory, &Answers::with(&[502]), &request())
        .await
        .0
        .unwrap_err();
    assert!(matches!(error, DeployError::NotVerified(_)), "{error}");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
    let held = memory.held.borrow();
    assert!(
        held.deployments
            .last()
            .unwrap()
            .0
            .metadata()
            .unwrap()
            .failed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_marked_before_the_stage_goes_back() {
    let memory = Memory::stale();
    run(&memory, &Answers::with(&[502]), &request())
        .await
        .0
        .unwrap_err();
    let calls = memory.calls.borrow();
    let last = |name: &str| calls.iter().rposition(|call| *call == name).unwrap();
    assert!(last("UpdateDeployment") < last("UpdateStage"), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn new_live_code_ends_what_an_earlier_trial_showed() {
    let memory = Memory::stale();
    run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap();
    let with_code = Redeploy {
        code: vec![crate::account::built("hello", "code-2")],
        ..request()
    };
    let broken = run(&memory, &Answers::with(&[502]), &with_code).await.0;
    assert!(
        matches!(broken, Err(DeployError::NotVerified(_))),
        "{broken:?}"
    );
    let again = run(&memory, &Answers::with(&[502]), &with_code).await.0;
    assert!(
        matches!(again, Err(DeployError::NotVerified(_))),
        "{again:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_another_run_moved_during_the_trial_is_not_reported_as_verified() {
    let memory = Memory::holding(|held| {
        let description = held.description.clone();
        held.deployments
            .push((by_hand("theirs", 1_500), description));
    });
    let answers = Answers::with(&[101]);
    let after_trial = index_of("UpdateDeployment").await - 1;
    *memory.else_does.borrow_mut() = Some((
        after_trial,
        std::rc::Rc::new(|held| held.stage.deployment = Some(DeploymentId::new("theirs"))),
    ));
    let error = run(&memory, &answers, &request()).await.0.unwrap_err();
    assert!(matches!(error, DeployError::Moved { .. }), "{error}");
    // Nobody serves what it made, and nothing goes back to it.
    assert_eq!(memory.ids(), ["old", "theirs"]);
}

#[tokio::test(start_paused = true)]
async fn an_update_that_is_slow_to_be_seen_is_not_told_as_somebody_elses_move() {
    let memory = Memory::holding(|held| held.frozen_stage = true);
    let error = run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap_err();
    insta::assert_snapshot!(error, @"stage dev still serves old 10 s after API Gateway accepted new1; if it serves new1 later on, that was not tried");
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

/// An API that only a custom domain reaches.
fn behind_a_domain() -> Redeploy {
    let mut request = request();
    request.api.endpoint_disabled = true;
    request
}

#[tokio::test(start_paused = true)]
async fn an_api_behind_its_domain_is_tried_through_its_mapping() {
    let mapped = |stage: &str, mutual_tls| {
        let domain = CustomDomain {
            name: "ws.example.com".to_owned(),
            mutual_tls,
        };
        let mapping = DomainMapping {
            key: Some("chat".to_owned()),
            stage: StageName::new(stage),
        };
        vec![(domain, vec![mapping])]
    };
    let memory = Memory::holding(|held| held.domains = mapped("dev", false));
    let outcome = run(&memory, &Answers::with(&[101]), &behind_a_domain())
        .await
        .0;
    let Ok(Redeployed::Deployed {
        evidence: Some(evidence),
        ..
    }) = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(evidence.url, "wss://ws.example.com/chat");
    for unreachable in [mapped("prod", false), mapped("dev", true)] {
        let memory = Memory::holding(|held| held.domains = unreachable);
        let error = run(&memory, &Answers::with(&[101]), &behind_a_domain())
            .await
            .0;
        assert!(
            matches!(error, Err(DeployError::NothingToTry { .. })),
            "{error:?}"
        );
        assert!(
            memory
                .calls
                .borrow()
                .iter()
                .all(|call| call.starts_with("Get"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_of_cloudformation_is_tried_and_recorded_only_if_that_is_asked_for() {
    let memory = Memory::stale();
    {
        let mut held = memory.held.borrow_mut();
        let digest = held.description.wiring(&account_region()).digest;
        held.deployments[0].0.description = Some(format!("stackgen sha256:{digest} env:dev"));
    }
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    assert!(matches!(
        outcome,
        Ok(Redeployed::Current { verified: true, .. })
    ));
    assert!(!memory.serves().unwrap().0.metadata().unwrap().passed());
    let marking = Redeploy {
        mark: true,
        ..request()
    };
    run(&memory, &Answers::with(&[101]), &marking)
        .await
        .0
        .unwrap();
    let marked = memory.serves().unwrap().0;
    assert!(marked.metadata().unwrap().passed());
    assert_eq!(marked.created_by(), stackgen_deploy::CreatedBy::Template);
}

#[tokio::test(start_paused = true)]
async fn a_status_that_is_said_to_be_fine_is_fine() {
    let memory = Memory::stale();
    let request = stackgen_deploy::redeploy::Redeploy {
        verify: Some(Verification {
            also: vec![403],
            ..Verification::default()
        }),
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
    let creates = index_of("CreateDeployment").await;
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
        served.metadata().unwrap().digest,
        frozen.wiring(&account_region()).digest
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
            now: || stackgen_deploy::Timestamp(1_795_315_372),
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

/// How often a call that always fails so is made.
async fn tried(kind: AccountErrorKind) -> usize {
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
async fn what_cannot_be_reached_is_not_tried_for_long() {
    assert_eq!(tried(AccountErrorKind::AccessDenied).await, 1);
    assert_eq!(tried(AccountErrorKind::Unreachable).await, 4);
    assert_eq!(tried(AccountErrorKind::TooManyRequests).await, 10);
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
    let all = memory.held.borrow().description.parts.len();
    assert_eq!(read.parts.len(), all);
    insta::assert_snapshot!(memory.calls.borrow().join(" "), @"GetApi GetRoutes GetIntegrations GetIntegrations GetAuthorizers GetModels");
}

#[tokio::test(start_paused = true)]
async fn deleting_an_unused_deployment_is_repeated_when_it_is_throttled() {
    let memory = Memory::stale();
    let creates = index_of("CreateDeployment").await;
    *memory.else_does.borrow_mut() = Some((
        creates,
        std::rc::Rc::new(|held| held.description.parts.push(route("late"))),
    ));
    let lists = 5;
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
