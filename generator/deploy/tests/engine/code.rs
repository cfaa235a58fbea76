//! Code and versions of functions.

use std::rc::Rc;

use stackgen_deploy::code::{CodePlan, ReleaseMode};
use stackgen_deploy::redeploy::{RedeployOutcome, RedeployRequest, plan};
use stackgen_deploy::{DeployError, FunctionName, Interrupt, RetryPolicy};

use crate::memory::{Memory, MemoryState, uri};
use crate::support::{Answers, built, context, request, run};

#[tokio::test(start_paused = true)]
async fn only_code_that_differs_is_sent() {
    let memory = Memory::stale();
    let same = RedeployRequest {
        code: vec![built("hello", "code-1")],
        ..request()
    };
    run(&memory, &Answers::with(&[101]), &same).await.0.unwrap();
    assert!(!memory.calls.borrow().contains(&"UpdateFunctionCode"));
    let other = RedeployRequest {
        code: vec![built("hello", "code-2")],
        ..request()
    };
    let outcome = run(&memory, &Answers::with(&[101]), &other)
        .await
        .0
        .unwrap();
    assert!(
        matches!(outcome, RedeployOutcome::Current { .. }),
        "code behind a function is live without a deployment (row D2)"
    );
    assert!(memory.calls.borrow().contains(&"UpdateFunctionCode"));
}

#[tokio::test(start_paused = true)]
async fn code_that_something_else_replaces_meanwhile_is_replaced_again() {
    let memory = Memory::stale();
    let request = RedeployRequest {
        code: vec![built("hello", "code-2")],
        ..request()
    };
    let first = Memory::stale();
    run(&first, &Answers::with(&[101]), &request)
        .await
        .0
        .unwrap();
    let index = first
        .calls
        .borrow()
        .iter()
        .position(|call| *call == "UpdateFunctionCode");
    let other = |state: &mut MemoryState| {
        let function = state.functions.values_mut().next().unwrap();
        function.code = "other".to_owned();
        function.revision += 1;
    };
    *memory.interference.borrow_mut() = Some((index.unwrap(), Rc::new(other)));
    run(&memory, &Answers::with(&[101]), &request)
        .await
        .0
        .unwrap();
    let code = &memory.state.borrow().functions[&FunctionName::new("hello")].code;
    assert_eq!(code, "code-2");
    let calls = memory.calls.borrow();
    let sent = calls.iter().filter(|call| **call == "UpdateFunctionCode");
    assert_eq!(sent.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn functions_are_updated_at_the_same_time() {
    let memory = Memory::stale();
    let hello = FunctionName::new("hello");
    let function = memory.state.borrow().functions[&hello].clone();
    let other = FunctionName::new("other");
    memory.state.borrow_mut().functions.insert(other, function);
    let both = RedeployRequest {
        code: vec![built("hello", "code-2"), built("other", "code-2")],
        ..request()
    };
    run(&memory, &Answers::with(&[101]), &both).await.0.unwrap();
    let calls = memory.calls.borrow();
    let last = calls.iter().rposition(|call| *call == "UpdateFunctionCode");
    let reads = calls[last.unwrap()..].iter();
    let reads = reads.filter(|call| **call == "GetFunctionConfiguration");
    // A function is read three times until its update is complete. The first update was not complete when the second began.
    assert!(reads.count() > 3, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn pinned_code_is_live_with_the_deployment_that_invokes_it() {
    let memory = Memory::stale();
    let pinned = |code: &str| RedeployRequest {
        code: vec![built("hello", code)],
        release: Some(ReleaseMode::Pinned),
        ..request()
    };
    let answers = Answers::with(&[101]);
    run(&memory, &answers, &pinned("code-1")).await.0.unwrap();
    let called = |memory: &Memory| memory.serves().unwrap().1.parts[0].invocation().unwrap();
    assert_eq!(called(&memory).version().unwrap().as_str(), "1");
    let current = run(&memory, &answers, &pinned("code-1")).await.0.unwrap();
    assert!(matches!(current, RedeployOutcome::Current { .. }));
    run(&memory, &answers, &pinned("code-2")).await.0.unwrap();
    assert_eq!(called(&memory).version().unwrap().as_str(), "2");
}

#[tokio::test(start_paused = true)]
async fn row_d19_a_version_that_could_not_be_invoked_is_not_published() {
    let memory = Memory::holding(|state| {
        state.description.parts[0]
            .properties
            .remove("CredentialsArn");
    });
    let pinned = RedeployRequest {
        release: Some(ReleaseMode::Pinned),
        ..request()
    };
    let error = run(&memory, &Answers::with(&[101]), &pinned)
        .await
        .0
        .unwrap_err();
    insta::assert_snapshot!(error, @"integration int1 invokes hello by a permission of the function, which covers no published version (row D19)");
    assert!(
        memory
            .calls
            .borrow()
            .iter()
            .all(|call| call.starts_with("Get"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_function_is_named() {
    let memory = Memory::stale();
    let other = RedeployRequest {
        code: vec![built("other", "code-2")],
        ..request()
    };
    let error = run(&memory, &Answers::with(&[101]), &other)
        .await
        .0
        .unwrap_err();
    assert_eq!(
        error,
        DeployError::NoFunction {
            function: FunctionName::new("other")
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_lists_code_and_versions() {
    let memory = Memory::holding(|state| {
        state.description.parts[0]
            .properties
            .insert("IntegrationUri".to_owned(), uri("hello:1").into());
        let function = state.functions.values_mut().next().unwrap();
        function.versions = vec![("code-1".to_owned(), 1)];
    });
    let hello = || FunctionName::new("hello");
    let pinned = |code: &str| RedeployRequest {
        code: vec![built("hello", code)],
        release: Some(ReleaseMode::Pinned),
        ..request()
    };
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = context(&retry, &interrupt);
    assert_eq!(
        plan(&memory, &pinned("code-1"), ctx).await.unwrap().code,
        []
    );
    let both = [CodePlan::Update(hello()), CodePlan::Publish(hello())];
    assert_eq!(
        plan(&memory, &pinned("code-2"), ctx).await.unwrap().code,
        both
    );
    memory
        .state
        .borrow_mut()
        .functions
        .values_mut()
        .next()
        .unwrap()
        .configuration = 2;
    assert_eq!(
        plan(&memory, &pinned("code-1"), ctx).await.unwrap().code,
        [CodePlan::Publish(hello())]
    );
}
