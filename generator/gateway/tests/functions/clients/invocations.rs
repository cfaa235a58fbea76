//! Synchronous, asynchronous and rejected invocations.

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{InvocationType, LogType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use stackgen_gateway_common::PolicyStatement;
use stackgen_gateway_lambda::functions::LATEST;

use super::{account, clients, refusal};
use crate::support::wait_until;

#[tokio::test]
async fn invocations_are_synchronous_asynchronous_or_dry_runs() {
    let account = account().await;
    account.create("worker").await;
    let event = |what: &str| {
        let payload = Blob::new(json!({ "do": what }).to_string());
        account
            .sdk
            .invoke()
            .function_name("worker")
            .payload(payload)
    };
    let tailed = event("print:said this;throw:no")
        .log_type(LogType::Tail)
        .send()
        .await;
    let tailed = tailed.expect("an outcome");
    assert_eq!(
        (tailed.status_code(), tailed.function_error()),
        (200, Some("Unhandled"))
    );
    assert_eq!(tailed.executed_version(), Some(LATEST));
    let tail = STANDARD
        .decode(tailed.log_result().expect("a log"))
        .expect("base64");
    let tail = String::from_utf8(tail).expect("text");
    assert!(tail.starts_with("START RequestId: "), "{tail}");
    assert!(tail.contains("\nsaid this\nEND RequestId: "), "{tail}");

    let later = event("print:later")
        .invocation_type(InvocationType::Event)
        .send()
        .await;
    assert_eq!(later.expect("taken").status_code(), 202);
    wait_until("it ran", || {
        account
            .lambda
            .log("worker")
            .iter()
            .any(|line| line == "later")
    })
    .await;
    let dry = event("exit")
        .invocation_type(InvocationType::DryRun)
        .send()
        .await;
    assert_eq!(dry.expect("allowed").status_code(), 204);
}

#[tokio::test]
async fn invocations_that_reach_no_function_are_lambdas_errors() {
    let account = account().await;
    account.create("worker").await;
    let event = |what: &str| {
        let payload = Blob::new(json!({ "do": what }).to_string());
        let invoke = account.sdk.invoke().function_name("worker");
        invoke.payload(payload)
    };
    let ghost = account.sdk.invoke().function_name("ghost").send().await;
    assert_eq!(refusal(ghost), "ResourceNotFoundException");
    let text = account
        .sdk
        .invoke()
        .function_name("worker")
        .payload(Blob::new("no json"))
        .send()
        .await;
    assert_eq!(refusal(text), "InvalidRequestContentException");
    let large = event(&"x".repeat(6 * 1024 * 1024)).send().await;
    assert_eq!(refusal(large), "RequestTooLargeException");
    let none = account
        .sdk
        .put_function_concurrency()
        .function_name("worker")
        .reserved_concurrent_executions(0);
    none.send().await.expect("done");
    assert_eq!(
        refusal(event("ok").send().await),
        "TooManyRequestsException"
    );
}

#[tokio::test]
async fn row_d19_a_function_needs_permission_of_its_role_to_invoke_another() {
    let account = account().await;
    account.create("worker").await;
    let key = account.invoke("worker", "env:AWS_ACCESS_KEY_ID").await;
    let (as_worker, _) = clients(&account.endpoint, key["body"].as_str().expect("a key"));
    let invoke = || {
        as_worker
            .invoke()
            .function_name("worker")
            .payload(Blob::new("{}"))
            .send()
    };
    assert_eq!(refusal(invoke().await), "AccessDeniedException");
    let policy = json!({ "Statement": { "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*" } });
    let statements = PolicyStatement::parse_policy(&policy).expect("a policy");
    account.lambda.roles.declare("worker", statements);
    assert_eq!(invoke().await.expect("an outcome").status_code(), 200);
}
