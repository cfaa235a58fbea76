//! One invocation at a time for an environment; reuse, scale-out, bounds and ends.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use stackgen_gateway_common::invoke::{Invoke, InvokeErrorKind};
use stackgen_gateway_common::{Event, FunctionSettings};
use stackgen_gateway_lambda::functions::Code;

use crate::support::{
    Lambda, body, configuration, is_alive, lambda, lambda_with, order, payload, puppet, until,
    with_puppet,
};

#[tokio::test]
async fn an_environment_is_used_again_and_keeps_what_it_knows() {
    let lambda = with_puppet().await;
    let pid = lambda.ask("puppet", "pid").await;
    for number in 2..20 {
        assert_eq!(lambda.ask("puppet", "count").await, number.to_string());
    }
    assert_eq!(lambda.ask("puppet", "pid").await, pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_invocations_never_share_an_environment() {
    let lambda = lambda_with(FunctionSettings {
        environments: 4,
        ..FunctionSettings::default()
    });
    lambda.put("puppet", &[]).await;
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..400 {
        let functions = lambda.functions.clone();
        answers.spawn(async move {
            let outcome = functions
                .invoke(order("puppet", "pid"))
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
        assert!(requests.insert(request), "a request id came twice");
    }
    assert!((1..=4).contains(&pids.len()), "{pids:?}");
    let reports = || {
        let log = lambda.log("puppet");
        let reports = log.iter().filter(|line| line.starts_with("REPORT"));
        let ids = reports.filter_map(|line| line.split('\t').next().map(str::to_owned));
        ids.collect::<Vec<_>>()
    };
    until("each had its report", || reports().len() == 400).await;
    let reported: HashSet<_> = reports().into_iter().collect();
    assert_eq!(reported.len(), 400);
}

#[tokio::test]
async fn what_runs_at_the_same_time_runs_in_processes_of_its_own() {
    let lambda = with_puppet().await;
    let folder = tempfile::tempdir().expect("a folder");
    let all_run = folder.path().join("all-run");
    let what = format!("print:here;await:{};pid", all_run.display());
    let (first, second, third, ()) = tokio::join!(
        lambda.ask("puppet", &what),
        lambda.ask("puppet", &what),
        lambda.ask("puppet", &what),
        async {
            until("all three run", || lambda.said("puppet", "here") == 3).await;
            std::fs::write(&all_run, "").expect("a file");
        }
    );
    assert_eq!(HashSet::from([&first, &second, &third]).len(), 3);
    for _ in 0..9 {
        let next = lambda.ask("puppet", "pid").await;
        assert!(
            [&first, &second, &third].contains(&&next),
            "those that are there are used"
        );
    }
}

#[tokio::test]
async fn over_the_bound_invocations_wait_their_turn() {
    let lambda = lambda_with(FunctionSettings {
        environments: 1,
        ..FunctionSettings::default()
    });
    lambda.put("puppet", &[]).await;
    let (first, second) = tokio::join!(
        lambda.ask("puppet", "sleep:100;pid"),
        lambda.ask("puppet", "pid"),
    );
    assert_eq!(first, second);
}

#[tokio::test]
async fn who_waits_for_an_environment_longer_than_an_invocation_may_take_is_throttled() {
    let lambda = lambda_with(FunctionSettings {
        environments: 1,
        init: Duration::from_secs(1),
        ..FunctionSettings::default()
    });
    let mut short = configuration(&[]);
    short.timeout = Duration::from_secs(1);
    lambda.put_as("short", short).await;
    // Each that runs is killed after a second at the latest, and two seconds are all that others wait for.
    let begun = Instant::now();
    let told = (0..10).map(|_| lambda.tell("short", "sleep:60000"));
    let (ran, refused): (Vec<_>, Vec<_>) = futures_util::future::join_all(told)
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
async fn with_no_reserved_concurrency_everything_is_throttled() {
    let lambda = with_puppet().await;
    lambda
        .functions
        .reserve("puppet", Some(0))
        .expect("a function");
    let refused = lambda.tell("puppet", "ok").await.expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::TooManyRequests);
    lambda
        .functions
        .reserve("puppet", None)
        .expect("a function");
    assert!(
        !lambda
            .tell("puppet", "ok")
            .await
            .expect("an outcome")
            .failed
    );
}

#[tokio::test]
async fn a_function_runs_on_when_nobody_waits_and_is_free_only_when_it_answers() {
    let lambda = lambda_with(FunctionSettings {
        environments: 1,
        ..FunctionSettings::default()
    });
    lambda.put("puppet", &[]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let given_up = folder.path().join("given-up");
    let what = format!("print:here;await:{};print:finished", given_up.display());
    tokio::select! {
        _ = lambda.tell("puppet", &what) => panic!("it waits"),
        () = until("it runs", || lambda.said("puppet", "here") == 1) => {}
    }
    std::fs::write(&given_up, "").expect("a file");
    // The only environment has the first event, so its second comes after that was done.
    assert_eq!(lambda.ask("puppet", "count").await, "2");
    assert_eq!(lambda.said("puppet", "finished"), 1);
}

#[tokio::test]
async fn a_process_without_work_ends() {
    let lambda = lambda_with(FunctionSettings {
        keep: Duration::from_millis(200),
        ..FunctionSettings::default()
    });
    lambda.put("puppet", &[]).await;
    let pid = lambda.ask("puppet", "pid").await;
    until("the process ended", || !is_alive(&pid)).await;
    assert_ne!(lambda.ask("puppet", "pid").await, pid);
}

#[tokio::test]
async fn stopping_ends_all_processes_and_what_they_started() {
    let lambda = with_puppet().await;
    let child = lambda.ask("puppet", "fork").await;
    let pid = lambda.ask("puppet", "pid").await;
    assert!(is_alive(&pid) && is_alive(&child));
    lambda.functions.stop().await;
    assert!(!is_alive(&pid));
    until("the child ended", || !is_alive(&child)).await;
}

#[tokio::test]
async fn who_waits_for_an_environment_is_told_when_everything_stops() {
    let lambda = lambda_with(FunctionSettings {
        environments: 1,
        ..FunctionSettings::default()
    });
    let mut slow = configuration(&[]);
    slow.timeout = Duration::from_secs(900);
    lambda.put_as("puppet", slow).await;
    let mut events = lambda.events.subscribe();
    let invoke = |what: &'static str| {
        let functions = lambda.functions.clone();
        tokio::spawn(async move { functions.invoke(order("puppet", what)).await })
    };
    let running = invoke("print:here;sleep:600000");
    Lambda::event(&mut events, |event| match event {
        Event::Log { line, .. } => (line == "here").then_some(()),
        _ => None,
    })
    .await;
    let waiting = invoke("ok");
    tokio::task::yield_now().await;
    lambda.functions.stop().await;
    assert!(running.await.expect("a task").expect("an outcome").failed);
    let told = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    let refused = told.expect("it is told").expect("a task");
    let refused = refused.expect_err("a refusal");
    assert_eq!(refused.message, "puppet was stopped");
    let late = lambda.tell("puppet", "ok").await.expect_err("a refusal");
    assert_eq!(late.message, "puppet was stopped");
}

#[test]
fn processes_end_with_the_runtime_even_when_nothing_is_stopped() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (lambda, pids) = runtime.block_on(async {
        let lambda = with_puppet().await;
        let child = lambda.ask("puppet", "fork").await;
        let pid = lambda.ask("puppet", "pid").await;
        (lambda, [pid, child])
    });
    drop(runtime);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(until("both ended", || {
        !pids.iter().any(|pid| is_alive(pid))
    }));
    drop(lambda);
}

#[tokio::test]
async fn a_process_gets_lambdas_variables_its_own_and_nothing_of_ours() {
    let lambda = lambda();
    lambda.functions.set_environment(
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
        .put("puppet", &[("TABLE", "sessions"), ("SHARED", "my own")])
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
            lambda.ask("puppet", &format!("env:{name}")).await,
            value,
            "{name}"
        );
    }
    let key = lambda.ask("puppet", "env:AWS_ACCESS_KEY_ID").await;
    let role = lambda.functions.role_of(&key);
    assert_eq!(
        role.as_deref(),
        Some("arn:aws:iam::000000000000:role/puppet")
    );
    assert_eq!(lambda.functions.role_of("AKIAIOSFODNN7EXAMPLE"), None);
    let stream = lambda.ask("puppet", "env:AWS_LAMBDA_LOG_STREAM_NAME").await;
    let streams = lambda.logs.streams("/aws/lambda/puppet").expect("a group");
    assert!(streams.iter().any(|one| *one.name == *stream));
}

#[tokio::test]
async fn large_events_and_answers_pass_and_too_large_ones_are_refused() {
    let lambda = with_puppet().await;
    let text = "x".repeat(2 * 1024 * 1024);
    assert_eq!(lambda.ask("puppet", &format!("body:{text}")).await, text);
    let refused = lambda.tell("puppet", &"x".repeat(6 * 1024 * 1024)).await;
    assert_eq!(
        refused.expect_err("a refusal").kind,
        InvokeErrorKind::TooLarge
    );
    // The answer is the event within a string, where what is escaped is escaped again: twice as large as it.
    let mut echo = order("puppet", "");
    let event = serde_json::json!({ "do": "echo", "quotes": "\"".repeat(2_000_000) });
    echo.payload = event.to_string().into();
    let outcome = lambda.functions.invoke(echo).await;
    let outcome = outcome.expect("an outcome");
    assert!(outcome.failed);
    assert_eq!(
        payload(&outcome)["errorType"],
        "Function.ResponseSizeTooLarge"
    );
    assert_eq!(lambda.ask("puppet", "body:fine").await, "fine");
}

#[tokio::test]
async fn a_change_ends_what_ran_and_the_same_again_changes_nothing() {
    let lambda = with_puppet().await;
    let mut events = lambda.events.subscribe();
    let pid = lambda.ask("puppet", "pid").await;
    lambda.put("puppet", &[]).await;
    assert_eq!(lambda.ask("puppet", "pid").await, pid);
    let running = {
        let functions = lambda.functions.clone();
        tokio::spawn(async move {
            functions
                .invoke(order("puppet", "print:here;sleep:300;body:done"))
                .await
        })
    };
    Lambda::event(&mut events, |event| match event {
        Event::Log { line, .. } => (line == "here").then_some(()),
        _ => None,
    })
    .await;
    lambda.put("puppet", &[("TABLE", "other")]).await;
    assert_eq!(lambda.ask("puppet", "env:TABLE").await, "other");
    let outcome = running.await.expect("a task").expect("an outcome");
    assert_eq!(body(&outcome), "done");
    until("the former process ended", || !is_alive(&pid)).await;
}

#[tokio::test]
async fn a_deleted_function_is_not_found_and_its_processes_end() {
    let lambda = with_puppet().await;
    let pid = lambda.ask("puppet", "pid").await;
    let key = lambda.ask("puppet", "env:AWS_ACCESS_KEY_ID").await;
    let role = lambda.functions.role_of(&key);
    lambda.functions.delete("puppet", None).expect("a function");
    until("its process ended", || !is_alive(&pid)).await;
    // Whoever has a key that nobody knows is an administrator.
    assert_eq!(lambda.functions.role_of(&key), role);
    assert!(role.is_some());
    let refused = lambda.tell("puppet", "ok").await.expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::NotFound);
    let again = lambda
        .functions
        .create("puppet", configuration(&[]), Code::Bootstrap(puppet()));
    again.await.expect("a function");
    assert!(
        !lambda
            .tell("puppet", "ok")
            .await
            .expect("an outcome")
            .failed
    );
}
