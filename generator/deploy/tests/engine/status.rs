//! Whether a stage serves what the account holds, and how that is known.

use stackgen_deploy::status::{Confidence, State, Status, TemplateSnapshot, status};
use stackgen_deploy::{Interrupt, RetryPolicy, StageName};

use crate::account::{Answers, Memory, account_region, built, context, request, route, run, uri};

async fn seen(memory: &Memory, template: Option<&TemplateSnapshot>) -> Status {
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    let code = [built("hello", "code-2"), built("gone", "code-1")];
    status(
        memory,
        &Memory::api(),
        &StageName::new("dev"),
        template.map_or(&[], std::slice::from_ref),
        &code,
        ctx,
    )
    .await
    .unwrap()
}

fn said(memory: &Memory) -> TemplateSnapshot {
    let wiring = memory.held.borrow().description.wiring(&account_region());
    TemplateSnapshot {
        digest: wiring.digest,
        snapshot: wiring.snapshot,
    }
}

#[tokio::test(start_paused = true)]
async fn a_deployment_by_hand_does_not_tell_what_it_froze() {
    let found = seen(&Memory::stale(), None).await;
    assert_eq!(
        (found.verdict.state, found.is_current()),
        (State::Unknown, false)
    );
    assert_eq!(found.code[0].account.as_deref(), Some("code-1"));
    assert_eq!(found.code[1].account, None);
}

#[tokio::test(start_paused = true)]
async fn what_was_redeployed_is_current_until_something_changes_and_then_the_change_is_told() {
    let memory = Memory::stale();
    run(&memory, &Answers::with(&[101]), &request())
        .await
        .0
        .unwrap();
    let template = said(&memory);
    let found = seen(&memory, Some(&template)).await;
    assert_eq!(
        (found.verdict.state, found.verdict.sureness),
        (State::Current, Confidence::Certain)
    );
    assert_eq!(found.changes, []);
    memory
        .held
        .borrow_mut()
        .description
        .parts
        .push(route("later"));
    let found = seen(&memory, Some(&template)).await;
    assert_eq!(
        (found.verdict.state, found.verdict.sureness),
        (State::Stale, Confidence::Certain)
    );
    insta::assert_snapshot!(found.in_words, @"+ route later   needs a deployment");
}

#[tokio::test(start_paused = true)]
async fn a_pinned_stack_as_cloudformation_left_it_is_most_likely_current() {
    let memory = Memory::stale();
    // A template names a version by its logical id.
    let template = TemplateSnapshot {
        digest: "ab".repeat(32).parse().unwrap(),
        snapshot: said(&memory).snapshot.replace(
            r#"{"Function":"hello"}"#,
            r#"{"Function":"hello","Qualifier":"version V"}"#,
        ),
    };
    {
        let mut held = memory.held.borrow_mut();
        held.deployments[0].0.description =
            Some(format!("stackgen sha256:{} env:prod", template.digest));
        held.description.parts[0]
            .properties
            .insert("IntegrationUri".to_owned(), uri("hello:3").into());
    }
    let found = seen(&memory, Some(&template)).await;
    assert_eq!(
        (found.verdict.state, found.verdict.sureness),
        (State::Current, Confidence::Likely)
    );
    memory.held.borrow_mut().description.parts.pop();
    let found = seen(&memory, Some(&template)).await;
    assert_eq!(
        (found.verdict.state, found.verdict.sureness),
        (State::Stale, Confidence::Likely)
    );
    insta::assert_snapshot!(found.in_words, @"- route added   needs a deployment");
}

#[tokio::test(start_paused = true)]
async fn row_c3_a_stage_without_a_deployment_serves_nothing() {
    let memory = Memory::holding(|held| held.stage.deployment = None);
    assert_eq!(seen(&memory, None).await.verdict.state, State::NotDeployed);
}
