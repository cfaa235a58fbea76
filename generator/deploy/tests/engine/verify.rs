//! Tests of the verification that follows when a stage was moved to another deployment.

use stackgen_deploy::redeploy::{RedeployOutcome, RedeployRequest};
use stackgen_deploy::{
    CallerProfile, CreatedBy, CustomDomain, DeployError, DeploymentId, DomainMapping, StageName,
    VerifyRequest,
};

use crate::memory::{Fault, Memory, account_region, by_hand};
use crate::support::{Answers, built, index_of, request, run};

#[tokio::test(start_paused = true)]
async fn a_stage_that_fails_verification_goes_back_and_the_failure_is_recorded() {
    let memory = Memory::stale();
    let (outcome, steps) = run(&memory, &Answers::with(&[502]), &request()).await;
    let error = outcome.unwrap_err();
    insta::assert_snapshot!(error, @"stage dev is not verified with deployment new1: 502: the function of $connect failed (row C6) (21 attempts); old is restored, new1 is kept");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
    assert!(
        steps.iter().any(|step| step.starts_with("Restored")),
        "{steps:?}"
    );
    let state = memory.state.borrow();
    let failed = &state.deployments.last().unwrap().0;
    assert!(failed.metadata().unwrap().is_failed());
}

#[tokio::test(start_paused = true)]
async fn prune_failed_deletes_a_deployment_that_fails_verification() {
    let memory = Memory::stale();
    let request = RedeployRequest {
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
async fn bad_answers_are_tolerated_while_a_move_takes_effect() {
    let memory = Memory::stale();
    let (outcome, _) = run(
        &memory,
        &Answers::with(&[403, 403, 101, 403, 101]),
        &request(),
    )
    .await;
    let Ok(RedeployOutcome::Deployed {
        evidence: Some(evidence),
        ..
    }) = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(evidence.attempts.len(), 6);
}

/// Returns an account whose `$connect` has this AuthorizationType.
fn guarded(guard: &'static str) -> Memory {
    Memory::holding(|state| {
        let connect = &mut state.description.parts[1].properties;
        connect.insert("AuthorizationType".to_owned(), guard.into());
    })
}

fn verified_as(callers: Vec<CallerProfile>) -> RedeployRequest {
    RedeployRequest {
        verify: Some(VerifyRequest {
            callers,
            accepted: Vec::new(),
        }),
        ..request()
    }
}

fn speaker() -> CallerProfile {
    CallerProfile {
        name: "speaker".to_owned(),
        has_credentials: true,
        ..CallerProfile::anonymous()
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_that_refuses_anonymous_callers_verifies_nothing_and_the_stage_goes_back() {
    for guard in ["CUSTOM", "AWS_IAM"] {
        let memory = guarded(guard);
        let error = run(&memory, &Answers::with(&[401]), &request()).await.0;
        let error = error.unwrap_err();
        assert!(error.to_string().contains("authorizer only"), "{error}");
        assert!(
            error.to_string().contains("could not be verified"),
            "{error}"
        );
        // No leftover is there to go back to later.
        assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
        assert_eq!(memory.ids(), ["old"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_declared_refusal_verifies_nothing_unless_another_caller_is_accepted() {
    let anonymous = CallerProfile {
        status: Some(401),
        ..CallerProfile::anonymous()
    };
    let memory = guarded("CUSTOM");
    let alone = verified_as(vec![anonymous.clone()]);
    let error = run(&memory, &Answers::with(&[401]), &alone).await.0;
    assert!(matches!(error, Err(DeployError::NotVerified(error)) if error.inconclusive));
    let memory = guarded("CUSTOM");
    let both = verified_as(vec![anonymous, speaker()]);
    let outcome = run(&memory, &Answers::with(&[401, 101, 401, 101]), &both)
        .await
        .0;
    assert!(matches!(
        outcome,
        Ok(RedeployOutcome::Deployed { verified: true, .. })
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
    let declared = verified_as(vec![CallerProfile {
        status: Some(400),
        ..CallerProfile::anonymous()
    }]);
    let fine = run(&Memory::stale(), &Answers::with(&[400]), &declared)
        .await
        .0;
    assert!(fine.is_ok(), "{fine:?}");
}

#[tokio::test(start_paused = true)]
async fn a_first_deployment_that_is_broken_is_never_current() {
    let memory = Memory::holding(|state| {
        state.deployments.clear();
        state.stage.deployment = None;
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

/// Returns an account in which a run was killed after UpdateStage: the stage serves an unverified deployment.
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
async fn a_deployment_of_a_killed_run_is_verified_before_it_counts_as_current() {
    let memory = killed_after_the_move().await;
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    assert!(
        matches!(
            &outcome,
            Ok(RedeployOutcome::Current {
                verified: true,
                evidence: Some(_),
                ..
            })
        ),
        "{outcome:?}"
    );
    assert!(memory.serves().unwrap().0.metadata().unwrap().is_verified());
}

#[tokio::test(start_paused = true)]
async fn a_broken_deployment_of_a_killed_run_is_recorded_as_failed_and_the_stage_goes_back() {
    let memory = killed_after_the_move().await;
    let error = run(&memory, &Answers::with(&[502]), &request())
        .await
        .0
        .unwrap_err();
    assert!(matches!(error, DeployError::NotVerified(_)), "{error}");
    assert_eq!(memory.serves().unwrap().0.id.as_str(), "old");
    let state = memory.state.borrow();
    assert!(
        state
            .deployments
            .last()
            .unwrap()
            .0
            .metadata()
            .unwrap()
            .is_failed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_recorded_before_the_stage_goes_back() {
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
async fn new_live_code_clears_an_earlier_verification() {
    let memory = Memory::stale();
    run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap();
    let with_code = RedeployRequest {
        code: vec![built("hello", "code-2")],
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
async fn a_stage_that_another_run_moved_during_verification_is_not_reported_as_verified() {
    let memory = Memory::holding(|state| {
        let description = state.description.clone();
        state
            .deployments
            .push((by_hand("theirs", 1_500), description));
    });
    let answers = Answers::with(&[101]);
    let after_verification = index_of("UpdateDeployment").await - 1;
    *memory.interference.borrow_mut() = Some((
        after_verification,
        std::rc::Rc::new(|state| state.stage.deployment = Some(DeploymentId::new("theirs"))),
    ));
    let error = run(&memory, &answers, &request()).await.0.unwrap_err();
    assert!(matches!(error, DeployError::Moved { .. }), "{error}");
    // No stage serves its deployment, and nothing goes back to it.
    assert_eq!(memory.ids(), ["old", "theirs"]);
}

/// Returns a request for an API that only a custom domain name leads to.
fn behind_a_domain() -> RedeployRequest {
    let mut request = request();
    request.api.endpoint_disabled = true;
    request
}

#[tokio::test(start_paused = true)]
async fn an_api_behind_a_custom_domain_is_verified_through_its_mapping() {
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
    let memory = Memory::holding(|state| state.domains = mapped("dev", false));
    let outcome = run(&memory, &Answers::with(&[101]), &behind_a_domain())
        .await
        .0;
    let Ok(RedeployOutcome::Deployed {
        evidence: Some(evidence),
        ..
    }) = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(evidence.url, "wss://ws.example.com/chat");
    for unreachable in [mapped("prod", false), mapped("dev", true)] {
        let memory = Memory::holding(|state| state.domains = unreachable);
        let error = run(&memory, &Answers::with(&[101]), &behind_a_domain())
            .await
            .0;
        assert!(
            matches!(error, Err(DeployError::CannotVerify { .. })),
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
async fn a_deployment_of_cloudformation_is_verified_and_recorded_only_with_mark() {
    let memory = Memory::stale();
    {
        let mut state = memory.state.borrow_mut();
        let digest = state.description.wiring(&account_region()).digest;
        state.deployments[0].0.description = Some(format!("stackgen sha256:{digest} env:dev"));
    }
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    assert!(matches!(
        outcome,
        Ok(RedeployOutcome::Current { verified: true, .. })
    ));
    assert!(!memory.serves().unwrap().0.metadata().unwrap().is_verified());
    let marking = RedeployRequest {
        mark: true,
        ..request()
    };
    run(&memory, &Answers::with(&[101]), &marking)
        .await
        .0
        .unwrap();
    let marked = memory.serves().unwrap().0;
    assert!(marked.metadata().unwrap().is_verified());
    assert_eq!(marked.created_by(), CreatedBy::Template);
}

#[tokio::test(start_paused = true)]
async fn a_further_accepted_status_verifies() {
    let memory = Memory::stale();
    let request = RedeployRequest {
        verify: Some(VerifyRequest {
            accepted: vec![403],
            ..VerifyRequest::default()
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
