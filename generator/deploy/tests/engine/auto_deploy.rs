//! Redeploying a stage under AutoDeploy (rows D4, D5).

use stackgen_deploy::code::{CodePlan, ReleaseMode};
use stackgen_deploy::deployments::{ActivationRequest, activate, rollback_target};
use stackgen_deploy::redeploy::{RedeployOutcome, RedeployRequest, plan};
use stackgen_deploy::{
    DeployError, DeploymentId, DeploymentInfo, DeploymentState, FunctionName, Interrupt,
    RetryPolicy, StageName,
};

use crate::memory::{Memory, MemoryState, by_hand};
use crate::support::{Answers, built, context, request, run};

/// A stage that serves `old`, while API Gateway creates `auto`.
fn deploying(change: impl FnOnce(&mut MemoryState)) -> Memory {
    Memory::holding(|state| {
        state.stage.auto_deploy = true;
        state.auto_deploys_after = Some(3);
        let auto = DeploymentInfo {
            status: DeploymentState::Pending,
            auto_deployed: true,
            ..by_hand("auto", 2_000)
        };
        state.deployments.push((auto, state.description.clone()));
        change(state);
    })
}

fn settled() -> Memory {
    deploying(|state| state.auto_deploys_after = Some(0))
}

fn writes(memory: &Memory) -> Vec<&'static str> {
    let calls = memory.calls.borrow();
    let writes = calls.iter().filter(|call| !call.starts_with("Get"));
    writes.copied().collect()
}

async fn failure(memory: &Memory, answers: &[u16], request: &RedeployRequest) -> DeployError {
    let (outcome, _) = run(memory, &Answers::with(answers), request).await;
    outcome.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn row_d5_code_is_sent_and_the_stage_is_verified_once_api_gateway_deployed_it() {
    let memory = deploying(|_| {});
    let request = RedeployRequest {
        code: vec![built("hello", "code-2")],
        prune: Some(stackgen_deploy::prune::PrunePolicy {
            keep: 0,
            templates: true,
            all: true,
        }),
        ..request()
    };
    let (outcome, steps) = run(&memory, &Answers::with(&[101]), &request).await;
    let Ok(RedeployOutcome::AutoDeployed {
        deployment,
        updated,
        verified: true,
        evidence: Some(_),
    }) = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        (deployment, updated),
        (DeploymentId::new("auto"), vec![FunctionName::new("hello")])
    );
    assert_eq!(writes(&memory), ["UpdateFunctionCode"]);
    assert_eq!(memory.ids(), ["old", "auto"]);
    let waits = steps
        .iter()
        .filter(|step| step.contains("AwaitingAutoDeploy"));
    assert_eq!(waits.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn row_d5_a_dry_run_reports_the_code_and_no_deployment() {
    let memory = settled();
    let request = RedeployRequest {
        code: vec![built("hello", "code-2")],
        ..request()
    };
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let plan = plan(&memory, &request, context(&retry, &interrupt)).await;
    let plan = plan.unwrap();
    assert_eq!(
        (plan.auto_deploy, plan.deploys, plan.verifies),
        (true, false, true)
    );
    assert_eq!(plan.code, [CodePlan::Update(FunctionName::new("hello"))]);
    assert_eq!(writes(&memory), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn row_d5_a_failed_automatic_deployment_is_an_error_with_its_message() {
    let memory = deploying(|state| state.becomes = DeploymentState::Failed);
    let error = failure(&memory, &[101], &request()).await;
    insta::assert_snapshot!(error, @"API Gateway could not deploy stage dev by itself: Deployment attempt failed: no integration");
    assert!(error.hint().is_some());
}

#[tokio::test(start_paused = true)]
async fn row_d5_a_failure_counts_although_the_stage_serves_an_earlier_deployment() {
    let memory = Memory::holding(|state| {
        state.stage.auto_deploy = true;
        state.stage.last_deployment_status_message = Some(
            "Deployment attempt failed: Unable to deploy API because no routes exist in this API"
                .to_owned(),
        );
    });
    let error = failure(&memory, &[101], &request()).await;
    insta::assert_snapshot!(error, @"API Gateway could not deploy stage dev by itself: Deployment attempt failed: Unable to deploy API because no routes exist in this API");
}

#[tokio::test(start_paused = true)]
async fn row_d5_waiting_for_an_automatic_deployment_ends() {
    let memory = deploying(|state| state.auto_deploys_after = Some(u32::MAX));
    let error = failure(&memory, &[101], &request()).await;
    insta::assert_snapshot!(error, @"deployment auto is PENDING after 120 s; API Gateway deploys stage dev by itself (row D5)");
    let memory = deploying(|state| {
        state.auto_deploys_after = None;
        state.deployments[1].0.status = DeploymentState::Deployed;
    });
    let error = failure(&memory, &[101], &request()).await;
    insta::assert_snapshot!(error, @"the stage does not serve deployment auto after 120 s; API Gateway deploys stage dev by itself (row D5)");
}

#[tokio::test(start_paused = true)]
async fn row_d5_a_stage_that_is_not_verified_cannot_move_back() {
    let memory = settled();
    let error = failure(&memory, &[500], &request()).await;
    let DeployError::NotVerified(found) = &error else {
        panic!("{error:?}")
    };
    assert_eq!((found.auto_deploy, found.restored.as_ref()), (true, None));
    let text = error.to_string();
    let result = text.split_once("; ").unwrap().1;
    insta::assert_snapshot!(result, @"it still serves auto, because it cannot be moved back while AutoDeploy is on (row D5)");
    assert_eq!(memory.serves().unwrap().0.id, DeploymentId::new("auto"));
    assert_eq!(writes(&memory), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn row_d5_a_pinned_release_is_refused_before_anything_changes() {
    let memory = settled();
    let request = RedeployRequest {
        release: Some(ReleaseMode::Pinned),
        code: vec![built("hello", "code-2")],
        ..request()
    };
    let error = failure(&memory, &[101], &request).await;
    insta::assert_snapshot!(error, @"stage dev of API api1 is under AutoDeploy: API Gateway would deploy each version of a pinned release by itself (row D5)");
    assert_eq!(writes(&memory), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn row_d5_a_stage_under_auto_deploy_is_neither_activated_nor_rolled_back() {
    let memory = settled();
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    let activation = ActivationRequest {
        api: Memory::api(),
        stage: StageName::new("dev"),
        deployment: DeploymentId::new("old"),
        verify: None,
        mark: false,
    };
    let activated = activate(&memory, &Answers::with(&[101]), &activation, ctx).await;
    let api = Memory::api().id;
    let target = rollback_target(&memory, &api, &StageName::new("dev"), ctx).await;
    for error in [activated.unwrap_err(), target.unwrap_err()] {
        let hint = error.hint().unwrap();
        assert!(hint.contains("Leaving AutoDeploy"), "{hint}");
        assert!(matches!(error, DeployError::AutoDeploy { .. }), "{error:?}");
    }
    assert_eq!(writes(&memory), [""; 0]);
}
