//! Execution environments: reuse, scaling, limits and ends.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use stackgen_gateway_common::invoke::{Invoke, InvokeErrorKind};
use stackgen_gateway_common::{Event, FunctionSettings};
use stackgen_gateway_lambda::functions::Code;

use crate::support::{
    Lambda, body, configuration, invocation, is_alive, lambda, lambda_with, lambda_with_puppet,
    payload, puppet, wait_until,
};

#[tokio::test]
async fn an_environment_is_reused_and_keeps_its_state() {
    let lambda = lambda_with_puppet().await;
    let pid = lambda.invoke_for_body("puppet", "pid").await;
    for number in 2..20 {
        assert_eq!(
            lambda.invoke_for_body("puppet", "count").await,
            number.to_string()
        );
    }
    assert_eq!(lambda.invoke_for_body("puppet", "pid").await, pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_invocations_never_share_an_environment() {
    let lambda = lambda_with(FunctionSettings {
        environments: 4,
        ..FunctionSettings::default()
    });
    lambda.create_puppet("puppet", &[]).await;
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let functions = lambda.functions.clone();
        answers.spawn(async move {
            let outcome = functions
                .invoke(invocation("puppet", "pid"))
                .await
                .expect("an outcome");
            assert!(!outcome.failed);
            (outcome.request_id.clone(), body(&outcome))
        });
    }
    let mut pids = HashSet::new();
    let mut requests = HashSet::new();
    while let Some(answer) = answers.join_next().await {
        let (request, pid) = answer.expect("an answer");
        pids.insert(pid);
        assert!(requests.insert(request), "a request ID was used twice");
    }
    assert!((1..=4).contains(&pids.len()), "{pids:?}");
    let reports = || {
        let log = lambda.log("puppet");
        let reports = log.iter().filter(|line| line.starts_with("REPORT"));
        let ids = reports.filter_map(|line| line.split('\t').next().map(str::to_owned));
        ids.collect::<Vec<_>>()
    };
    wait_until("each invocation has a report", || reports().len() == 400).await;
    let reported: HashSet<_> = reports().into_iter().collect();
    assert_eq!(reported.len(), 400);
}

#[tokio::test]
async fn concurrent_invocations_run_in_separate_processes() {
    let lambda = lambda_with_puppet().await;
    let folder = tempfile::tempdir().expect("a folder");
    let all_run = folder.path().join("all-run");
    let what = format!("print:here;await:{};pid", all_run.display());
    let (first, second, third, ()) = tokio::join!(
        lambda.invoke_for_body("puppet", &what),
        lambda.invoke_for_body("puppet", &what),
        lambda.invoke_for_body("puppet", &what),
        async {
            wait_until("all three run", || {
                lambda.count_lines("puppet", "here") == 3
            })
            .await;
            std::fs::write(&all_run, "").expect("a file");
        }
    );
    assert_eq!(HashSet::from([&first, &second, &third]).len(), 3);
    for _ in 0..9 {
        let next = lambda.invoke_for_body("puppet", "pid").await;
        assert!(
            [&first, &second, &third].contains(&&next),
            "existing environments are reused"
        );
    }
}

#[tokio::test]
async fn invocations_above_the_limit_wait() {
    let lambda = lambda_with(FunctionSettings {
        environments: 1,
        ..FunctionSettings::default()
    });
    lambda.create_puppet("puppet", &[]).await;
    let (first, second) = tokio::join!(
        lambda.invoke_for_body("puppet", "sleep:100;pid"),
        lambda.invoke_for_body("puppet", "pid"),
    );
    assert_eq!(first, second);
}

#[tokio::test]
async fn an_invocation_that_waits_too_long_for_an_environment_is_throttled() {
    let lambda = lambda_with(FunctionSettings {
        environments: 1,
        init: Duration::from_secs(1),
        ..FunctionSettings::default()
    });
    let mut short = configuration(&[]);
    short.timeout = Duration::from_secs(1);
    lambda.create_puppet_with("short", short).await;
    // Running invocations are killed after one second; waiting ones give up after two.
    let begun = Instant::now();
    let invocations = (0..10).map(|_| lambda.invoke("short", "sleep:60000"));
    let (ran, refused): (Vec<_>, Vec<_>) = futures_util::future::join_all(invocations)
        .await
        .into_iter()
        .partition(Result::is_ok);
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert!(ran.into_iter().flatten().all(|outcome| outcome.failed));
    assert!(!refused.is_empty());
    for refused in refused.into_iter().filter_map(Result::err) {
        assert_eq!(refused.kind, InvokeErrorKind::TooManyRequests);
    }
}

#[tokio::test]
async fn a_reserved_concurrency_of_zero_throttles_every_invocation() {
    let lambda = lambda_with_puppet().await;
    lambda
        .functions
        .set_reserved_concurrency("puppet", Some(0))
        .expect("a function");
    let refused = lambda.invoke("puppet", "ok").await.expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::TooManyRequests);
    lambda
        .functions
        .set_reserved_concurrency("puppet", None)
        .expect("a function");
    assert!(
        !lambda
            .invoke("puppet", "ok")
            .await
            .expect("an outcome")
            .failed
    );
}

#[tokio::test]
async fn a_function_keeps_running_when_the_caller_gives_up() {
    let lambda = lambda_with(FunctionSettings {
        environments: 1,
        ..FunctionSettings::default()
    });
    lambda.create_puppet("puppet", &[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let given_up = folder.path().join("given-up");
    let what = format!("print:here;await:{};print:finished", given_up.display());
    tokio::select! {
        _ = lambda.invoke("puppet", &what) => panic!("the function does not wait"),
        () = wait_until("it runs", || lambda.count_lines("puppet", "here") == 1) => {}
    }
    std::fs::write(&given_up, "").expect("a file");
    // The only environment runs the first event, so it gets its second event only after that.
    assert_eq!(lambda.invoke_for_body("puppet", "count").await, "2");
    assert_eq!(lambda.count_lines("puppet", "finished"), 1);
}

#[tokio::test]
async fn an_idle_process_ends() {
    let lambda = lambda_with(FunctionSettings {
        keep: Duration::from_millis(200),
        ..FunctionSettings::default()
    });
    lambda.create_puppet("puppet", &[]).await;
    let pid = lambda.invoke_for_body("puppet", "pid").await;
    wait_until("the process ended", || !is_alive(&pid)).await;
    assert_ne!(lambda.invoke_for_body("puppet", "pid").await, pid);
}

#[tokio::test]
async fn stopping_ends_all_processes_and_their_children() {
    let lambda = lambda_with_puppet().await;
    let child = lambda.invoke_for_body("puppet", "fork").await;
    let pid = lambda.invoke_for_body("puppet", "pid").await;
    assert!(is_alive(&pid) && is_alive(&child));
    lambda.functions.stop().await;
    assert!(!is_alive(&pid));
    wait_until("the child ended", || !is_alive(&child)).await;
}

#[tokio::test]
async fn a_waiting_invocation_fails_when_the_gateway_stops() {
    let lambda = lambda_with(FunctionSettings {
        environments: 1,
        ..FunctionSettings::default()
    });
    let mut slow = configuration(&[]);
    slow.timeout = Duration::from_secs(900);
    lambda.create_puppet_with("puppet", slow).await;
    let mut events = lambda.events.subscribe();
    let invoke = |what: &'static str| {
        let functions = lambda.functions.clone();
        tokio::spawn(async move { functions.invoke(invocation("puppet", what)).await })
    };
    let running = invoke("print:here;sleep:600000");
    Lambda::wait_for_event(&mut events, |event| match event {
        Event::Log { line, .. } => (line == "here").then_some(()),
        _ => None,
    })
    .await;
    let waiting = invoke("ok");
    tokio::task::yield_now().await;
    lambda.functions.stop().await;
    assert!(running.await.expect("a task").expect("an outcome").failed);
    let result = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    let refused = result.expect("it gets an answer").expect("a task");
    let refused = refused.expect_err("a refusal");
    assert_eq!(refused.message, "puppet was stopped");
    let late = lambda.invoke("puppet", "ok").await.expect_err("a refusal");
    assert_eq!(late.message, "puppet was stopped");
}

#[test]
fn processes_end_with_the_runtime_without_a_stop() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (lambda, pids) = runtime.block_on(async {
        let lambda = lambda_with_puppet().await;
        let child = lambda.invoke_for_body("puppet", "fork").await;
        let pid = lambda.invoke_for_body("puppet", "pid").await;
        (lambda, [pid, child])
    });
    drop(runtime);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(wait_until("both ended", || {
        !pids.iter().any(|pid| is_alive(pid))
    }));
    drop(lambda);
}

#[tokio::test]
async fn a_process_gets_the_variables_of_lambda_and_its_function_and_no_others() {
    let lambda = lambda();
    lambda.functions.set_environment_variables(
        [
            (
                "AWS_ENDPOINT_URL".to_owned(),
                "http://127.0.0.1:1".to_owned(),
            ),
            ("SHARED".to_owned(), "by all".to_owned()),
        ]
        .into(),
    );
    lambda
        .create_puppet("puppet", &[("TABLE", "sessions"), ("SHARED", "my own")])
        .await;
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "puppet"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/puppet"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_EXECUTION_ENV", "(unset)"),
        ("_HANDLER", "bootstrap"),
        ("TABLE", "sessions"),
        ("SHARED", "my own"),
        ("HOME", "(unset)"),
        ("CARGO_MANIFEST_DIR", "(unset)"),
    ] {
        assert_eq!(
            lambda
                .invoke_for_body("puppet", &format!("env:{name}"))
                .await,
            value,
            "{name}"
        );
    }
    let key = lambda
        .invoke_for_body("puppet", "env:AWS_ACCESS_KEY_ID")
        .await;
    let role = lambda.functions.role_of(&key);
    assert_eq!(
        role.as_deref(),
        Some("arn:aws:iam::000000000000:role/puppet")
    );
    assert_eq!(lambda.functions.role_of("AKIAIOSFODNN7EXAMPLE"), None);
    let stream = lambda
        .invoke_for_body("puppet", "env:AWS_LAMBDA_LOG_STREAM_NAME")
        .await;
    let streams = lambda.logs.streams("/aws/lambda/puppet").expect("a group");
    assert!(streams.iter().any(|one| *one.name == *stream));
}

#[tokio::test]
async fn large_events_and_answers_pass_and_too_large_ones_are_rejected() {
    let lambda = lambda_with_puppet().await;
    let text = "x".repeat(2 * 1024 * 1024);
    assert_eq!(
        lambda
            .invoke_for_body("puppet", &format!("body:{text}"))
            .await,
        text
    );
    let refused = lambda.invoke("puppet", &"x".repeat(6 * 1024 * 1024)).await;
    assert_eq!(
        refused.expect_err("a refusal").kind,
        InvokeErrorKind::TooLarge
    );
    // The answer contains the event as a string. Escaping the quotes again doubles its size.
    let mut echo = invocation("puppet", "");
    let event = serde_json::json!({ "do": "echo", "quotes": "\"".repeat(2_000_000) });
    echo.payload = event.to_string().into();
    let outcome = lambda.functions.invoke(echo).await;
    let outcome = outcome.expect("an outcome");
    assert!(outcome.failed);
    assert_eq!(
        payload(&outcome)["errorType"],
        "Function.ResponseSizeTooLarge"
    );
    assert_eq!(lambda.invoke_for_body("puppet", "body:fine").await, "fine");
}

#[tokio::test]
async fn a_change_replaces_the_processes_and_an_equal_update_does_not() {
    let lambda = lambda_with_puppet().await;
    let mut events = lambda.events.subscribe();
    let pid = lambda.invoke_for_body("puppet", "pid").await;
    lambda.create_puppet("puppet", &[]).await;
    assert_eq!(lambda.invoke_for_body("puppet", "pid").await, pid);
    let running = {
        let functions = lambda.functions.clone();
        tokio::spawn(async move {
            functions
                .invoke(invocation("puppet", "print:here;sleep:300;body:done"))
                .await
        })
    };
    Lambda::wait_for_event(&mut events, |event| match event {
        Event::Log { line, .. } => (line == "here").then_some(()),
        _ => None,
    })
    .await;
    lambda.create_puppet("puppet", &[("TABLE", "other")]).await;
    assert_eq!(lambda.invoke_for_body("puppet", "env:TABLE").await, "other");
    let outcome = running.await.expect("a task").expect("an outcome");
    assert_eq!(body(&outcome), "done");
    wait_until("the former process ended", || !is_alive(&pid)).await;
}

#[tokio::test]
async fn a_deleted_function_is_not_found_and_its_processes_end() {
    let lambda = lambda_with_puppet().await;
    let pid = lambda.invoke_for_body("puppet", "pid").await;
    let key = lambda
        .invoke_for_body("puppet", "env:AWS_ACCESS_KEY_ID")
        .await;
    let role = lambda.functions.role_of(&key);
    lambda.functions.delete("puppet", None).expect("a function");
    wait_until("its process ended", || !is_alive(&pid)).await;
    // Unknown access keys count as those of an administrator.
    assert_eq!(lambda.functions.role_of(&key), role);
    assert!(role.is_some());
    let refused = lambda.invoke("puppet", "ok").await.expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::NotFound);
    let again = lambda
        .functions
        .create("puppet", configuration(&[]), Code::Bootstrap(puppet()));
    again.await.expect("a function");
    assert!(
        !lambda
            .invoke("puppet", "ok")
            .await
            .expect("an outcome")
            .failed
    );
}
