//! Status of a stage.

use stackgen_deploy::status::{
    Freshness, StageStatus, StatusConfidence, StatusRequest, TemplateSnapshot, status,
};
use stackgen_deploy::{Interrupt, RetryPolicy, StageName};

use crate::memory::{Memory, account_region, route, uri};
use crate::stacks::MemoryStack;
use crate::support::{Answers, built, context, request, run};

async fn status_of(memory: &Memory, template: Option<&TemplateSnapshot>) -> StageStatus {
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    let code = [built("hello", "code-2"), built("gone", "code-1")];
    let request = StatusRequest {
        api: &Memory::api(),
        stage: &StageName::new("dev"),
        templates: template.map_or(&[], std::slice::from_ref),
        built: &code,
        stack: None,
    };
    let stack = MemoryStack::with_api();
    status(memory, &stack, &request, ctx).await.unwrap()
}

fn template_snapshot(memory: &Memory) -> TemplateSnapshot {
    let wiring = memory.state.borrow().description.wiring(&account_region());
    TemplateSnapshot {
        digest: wiring.digest,
        snapshot: wiring.snapshot,
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_by_hand_has_an_unknown_digest() {
    let found = status_of(&Memory::stale(), None).await;
    assert_eq!(
        (found.verdict.freshness, found.is_current()),
        (Freshness::Unknown, false)
    );
    assert_eq!(found.code[0].account.as_deref(), Some("code-1"));
    assert_eq!(found.code[1].account, None);
}

#[tokio::test(start_paused = true)]
async fn a_redeployed_stage_is_current_until_something_changes_and_then_the_change_is_listed() {
    let memory = Memory::stale();
    run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap();
    let template = template_snapshot(&memory);
    let found = status_of(&memory, Some(&template)).await;
    assert_eq!(
        (found.verdict.freshness, found.verdict.confidence),
        (Freshness::Current, StatusConfidence::Certain)
    );
    assert_eq!(found.changes, []);
    memory
        .state
        .borrow_mut()
        .description
        .parts
        .push(route("later"));
    let found = status_of(&memory, Some(&template)).await;
    assert_eq!(
        (found.verdict.freshness, found.verdict.confidence),
        (Freshness::Stale, StatusConfidence::Certain)
    );
    insta::assert_snapshot!(found.changes_text, @"+ route later   needs a deployment");
}

#[tokio::test(start_paused = true)]
async fn a_pinned_stack_right_after_cloudformation_is_likely_current() {
    let memory = Memory::stale();
    // A template names a version by its logical ID.
    let template = TemplateSnapshot {
        digest: "ab".repeat(32).parse().unwrap(),
        snapshot: template_snapshot(&memory).snapshot.replace(
            r#"{"Function":"hello"}"#,
            r#"{"Function":"hello","Qualifier":"version V"}"#,
        ),
    };
    {
        let mut state = memory.state.borrow_mut();
        state.deployments[0].0.description =
            Some(format!("stackgen sha256:{} env:prod", template.digest));
        state.description.parts[0]
            .properties
            .insert("IntegrationUri".to_owned(), uri("hello:3").into());
    }
    let found = status_of(&memory, Some(&template)).await;
    assert_eq!(
        (found.verdict.freshness, found.verdict.confidence),
        (Freshness::Current, StatusConfidence::Likely)
    );
    memory.state.borrow_mut().description.parts.pop();
    let found = status_of(&memory, Some(&template)).await;
    assert_eq!(
        (found.verdict.freshness, found.verdict.confidence),
        (Freshness::Stale, StatusConfidence::Likely)
    );
    insta::assert_snapshot!(found.changes_text, @"- route added   needs a deployment");
}

#[tokio::test(start_paused = true)]
async fn row_d5_a_stage_under_auto_deploy_is_current_unless_its_last_deployment_failed() {
    let memory = Memory::holding(|state| state.stage.auto_deploy = true);
    let message = |text: &str| {
        memory
            .state
            .borrow_mut()
            .stage
            .last_deployment_status_message = Some(text.to_owned());
    };
    for text in [
        "",
        "Successfully deployed stage with deployment ID 'failed'",
    ] {
        message(text);
        let found = status_of(&memory, None).await;
        assert_eq!(found.verdict.freshness, Freshness::Current, "{text}");
    }
    message("Deployment attempt failed: Unable to deploy API because no routes exist in this API");
    let found = status_of(&memory, None).await.verdict;
    assert_eq!(
        (found.freshness, found.confidence),
        (Freshness::Stale, StatusConfidence::Likely)
    );
    insta::assert_snapshot!(found.reason, @"API Gateway could not deploy the last change by itself: Deployment attempt failed: Unable to deploy API because no routes exist in this API");
}

#[tokio::test(start_paused = true)]
async fn row_c3_a_stage_without_a_deployment_serves_nothing() {
    let memory = Memory::holding(|state| state.stage.deployment = None);
    assert_eq!(
        status_of(&memory, None).await.verdict.freshness,
        Freshness::NotDeployed
    );
}
