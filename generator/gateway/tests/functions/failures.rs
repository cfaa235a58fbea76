//! Functions that throw errors, crash, hang, or cannot be started.

use std::os::unix::fs::symlink;
use std::time::Duration;

use stackgen_gateway_common::invoke::{Invoke, InvokeErrorKind};
use stackgen_gateway_common::{Event, FunctionSettings};
use stackgen_gateway_lambda::functions::{Code, Configuration};

use crate::support::{
    Lambda, configuration, invocation, is_alive, lambda, lambda_with, lambda_with_puppet, payload,
    wait_until,
};

#[tokio::test]
async fn an_error_of_a_function_is_its_outcome() {
    let lambda = lambda_with_puppet().await;
    let pid = lambda.invoke_for_body("puppet", "pid").await;
    let outcome = lambda
        .invoke("puppet", "throw:on purpose")
        .await
        .expect("an outcome");
    assert!(outcome.failed);
    let error = payload(&outcome);
    assert_eq!(
        (&error["errorType"], &error["errorMessage"]),
        (&"Thrown".into(), &"on purpose".into())
    );
    assert_eq!(
        lambda.invoke_for_body("puppet", "pid").await,
        pid,
        "throwing an error does not end the process"
    );
}

#[tokio::test]
async fn a_process_that_exits_is_an_error_and_the_next_invocation_gets_a_new_process() {
    let lambda = lambda_with_puppet().await;
    let mut events = lambda.events.subscribe();
    lambda.invoke_for_body("puppet", "ok").await;
    for (command, reason) in [
        ("exit:3", "Runtime exited with error: exit status 3"),
        ("exit:0", "Runtime exited without providing a reason"),
    ] {
        let outcome = lambda.invoke("puppet", command).await.expect("an outcome");
        assert!(outcome.failed);
        let error = payload(&outcome);
        assert_eq!(error["errorType"], "Runtime.ExitError");
        let message = format!("RequestId: {} Error: {reason}", outcome.request_id);
        assert_eq!(error["errorMessage"], message);
        assert_eq!(lambda.invoke_for_body("puppet", "count").await, "1");
    }
    let reason = Lambda::wait_for_event(&mut events, |event| match event {
        Event::FunctionFailed { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(reason.await, "Runtime exited with error: exit status 3");
}

#[tokio::test]
async fn killing_a_process_fails_only_its_running_invocation() {
    let lambda = lambda_with_puppet().await;
    let mut events = lambda.events.subscribe();
    let pid = lambda.invoke_for_body("puppet", "pid").await;
    let running = {
        let functions = lambda.functions.clone();
        tokio::spawn(async move {
            functions
                .invoke(invocation("puppet", "print:here;sleep:20000"))
                .await
        })
    };
    Lambda::wait_for_event(&mut events, |event| match event {
        Event::Log { line, .. } => (line == "here").then_some(()),
        _ => None,
    })
    .await;
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid])
        .status();
    assert!(killed.expect("a status").success());
    let outcome = running.await.expect("a task").expect("an outcome");
    assert!(outcome.failed);
    let message = payload(&outcome)["errorMessage"].to_string();
    assert!(
        message.contains("Runtime exited with error: signal: killed"),
        "{message}"
    );
    assert_ne!(lambda.invoke_for_body("puppet", "pid").await, pid);
}

#[tokio::test]
async fn an_idle_process_that_is_killed_is_replaced_without_a_failure() {
    let lambda = lambda_with_puppet().await;
    let pid = lambda.invoke_for_body("puppet", "pid").await;
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid])
        .status();
    assert!(killed.expect("a status").success());
    wait_until("the process ended", || !is_alive(&pid)).await;
    let next = lambda.invoke_for_body("puppet", "pid").await;
    assert_ne!(next, pid);
}

#[tokio::test]
async fn a_timeout_kills_the_process_and_its_children() {
    let lambda = lambda();
    let mut short = configuration(&[]);
    short.timeout = Duration::from_secs(3);
    lambda.create_puppet_with("puppet", short).await;
    let child = lambda.invoke_for_body("puppet", "fork").await;
    let pid = lambda.invoke_for_body("puppet", "pid").await;
    let outcome = lambda
        .invoke("puppet", "sleep:60000")
        .await
        .expect("an outcome");
    assert!(outcome.failed);
    let error = payload(&outcome);
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    let message = format!(
        "RequestId: {} Error: Task timed out after 3.00 seconds",
        outcome.request_id
    );
    assert_eq!(error["errorMessage"], message);
    wait_until("both ended", || !is_alive(&pid) && !is_alive(&child)).await;
    assert_eq!(lambda.invoke_for_body("puppet", "count").await, "1");
    let log = lambda.log("puppet");
    assert!(
        log.iter()
            .any(|line| line.ends_with("Task timed out after 3.00 seconds")),
        "{log:#?}"
    );
}

#[tokio::test]
async fn a_process_that_exits_before_its_first_event_fails_one_invocation() {
    let lambda = lambda();
    lambda
        .create_puppet("puppet", &[("PUPPET_INIT", "exit:7")])
        .await;
    for _ in 0..2 {
        let outcome = lambda.invoke("puppet", "ok").await.expect("an outcome");
        assert!(outcome.failed);
        let error = payload(&outcome);
        assert_eq!(error["errorType"], "Runtime.ExitError");
        let message = error["errorMessage"].as_str().unwrap_or_default();
        assert!(
            message.ends_with("Error: Runtime exited with error: exit status 7"),
            "{message}"
        );
    }
    let log = lambda.log("puppet");
    assert!(
        log.iter()
            .any(|line| line.starts_with("INIT_REPORT") && line.contains("Status: error"))
    );
}

#[tokio::test]
async fn a_process_that_takes_too_long_to_start_is_a_timeout() {
    let lambda = lambda_with(FunctionSettings {
        init: Duration::from_millis(300),
        ..FunctionSettings::default()
    });
    lambda
        .create_puppet("puppet", &[("PUPPET_INIT", "sleep:60000")])
        .await;
    let outcome = lambda.invoke("puppet", "ok").await.expect("an outcome");
    assert!(outcome.failed);
    assert_eq!(payload(&outcome)["errorType"], "Sandbox.Timedout");
    let log = lambda.log("puppet");
    assert!(
        log.iter()
            .any(|line| line.contains("Phase: init\tStatus: timeout"))
    );
}

/// Creates the function `script` with this script as its bootstrap.
async fn script(lambda: &Lambda, text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bootstrap");
    std::fs::write(&file, text).expect("a file");
    let put =
        lambda
            .functions
            .create_or_update("script", configuration(&[]), Code::Bootstrap(file));
    put.await.expect("a function");
}

#[tokio::test]
async fn code_that_this_machine_cannot_run_is_an_error_with_advice() {
    let lambda = lambda();
    let mut events = lambda.events.subscribe();
    script(&lambda, "\u{7f}ELF of another architecture").await;
    let refused = lambda.invoke("script", "ok").await.expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::Unrunnable);
    assert!(refused.message.contains("Exec format error"), "{refused}");
    assert!(
        refused.message.contains("build it for this machine"),
        "{refused}"
    );
    let reason = Lambda::wait_for_event(&mut events, |event| match event {
        Event::FunctionFailed { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(reason.await, refused.message);

    let absent = Code::Absent("it is in S3".to_owned());
    let put = lambda
        .functions
        .create_or_update("absent", configuration(&[]), absent);
    put.await.expect("a function");
    let refused = lambda.invoke("absent", "ok").await.expect_err("a refusal");
    assert_eq!(refused.message, "cannot run absent: it is in S3");

    let folder = tempfile::tempdir().expect("a folder");
    let empty = Code::Folder(folder.path().to_owned());
    for (runtime, error) in [
        ("provided.al2023", "no file named bootstrap"),
        ("java21", "does not support the runtime"),
    ] {
        let configuration = Configuration {
            runtime: runtime.to_owned(),
            ..configuration(&[])
        };
        let put = lambda
            .functions
            .create_or_update("empty", configuration, empty.clone());
        put.await.expect("a function");
        let refused = lambda.invoke("empty", "ok").await.expect_err("a refusal");
        assert!(refused.message.contains(error), "{refused}");
    }
}

#[tokio::test]
async fn code_with_pipes_devices_or_endless_files_is_rejected() {
    let lambda = lambda();
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for name in ["pipe", "device", "up", "huge"] {
        std::fs::create_dir(at(name)).expect("a folder");
    }
    let pipe = std::process::Command::new("mkfifo")
        .arg(at("pipe/pipe"))
        .status();
    assert!(pipe.expect("a status").success());
    symlink("/dev/zero", at("device/zero")).expect("a link");
    symlink(".", at("up/a")).expect("a link");
    symlink(".", at("up/b")).expect("a link");
    let huge = std::fs::File::create(at("huge/huge.zip")).expect("a file");
    huge.set_len(1 << 40).expect("a length");
    for (code, reason) in [
        (Code::Folder(at("pipe")), "pipe/pipe is not a regular file"),
        (
            Code::Folder(at("device")),
            "device/zero is not a regular file",
        ),
        (Code::Folder(at("up")), "Too many levels of symbolic links"),
        (
            Code::Folder(at("huge")),
            "it is larger than 536870912 bytes",
        ),
        (
            Code::Bootstrap(at("huge/huge.zip")),
            "it is larger than 536870912 bytes",
        ),
        (
            Code::Bootstrap(at("pipe/pipe")),
            "pipe/pipe is not a regular file",
        ),
        (
            Code::Zip(at("huge/huge.zip")),
            "it is larger than 536870912 bytes",
        ),
        (
            Code::Zip(at("device/zero")),
            "device/zero is not a regular file",
        ),
    ] {
        let created = lambda
            .functions
            .create_or_update("f", configuration(&[]), code.clone());
        let error = created.await.expect_err("an error");
        assert!(error.message.contains(reason), "{code:?}: {error}");
    }
}

#[tokio::test]
async fn an_init_error_of_a_runtime_is_the_error_of_the_invocation() {
    let lambda = lambda();
    script(
        &lambda,
        "#!/bin/bash\nexec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}\nbody='{\"errorType\":\"Bad\",\"errorMessage\":\"no table\"}'\n\
         printf 'POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nContent-Length: %d\\r\\n\\r\\n%s' ${#body} \"$body\" >&3\n\
         sleep 60\n",
    )
    .await;
    let outcome = lambda.invoke("script", "ok").await.expect("an outcome");
    assert!(outcome.failed);
    assert_eq!(payload(&outcome)["errorMessage"], "no table");
}

#[tokio::test]
async fn the_runtime_api_answers_misuse_and_unknown_paths_with_errors() {
    let lambda = lambda();
    // Sends five requests over one connection, prints the statuses of the answers, and exits.
    script(
        &lambda,
        "#!/bin/bash\nexec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}\n\
         ask() { printf \"$1 HTTP/1.1\\r\\nContent-Length: ${#2}\\r\\n\\r\\n$2\" >&3; read -r line <&3; echo \"$3 $line\"; \
         while read -r line <&3; do case \"$line\" in [Cc]ontent-[Ll]ength*) size=${line//[^0-9]/};; $'\\r') break;; esac; done; \
         read -r -N \"$size\" body <&3; }\n\
         ask 'POST /2018-06-01/runtime/invocation/stale/response' '{}' stale\n\
         ask 'POST /2020-01-01/extension/register' '{\"events\":[\"INVOKE\"]}' extension\n\
         ask 'POST /2020-01-01/extension/register' '{\"events\":[]}' quiet\n\
         ask 'GET /2018-06-01/runtime/restore/next' '' unknown\n\
         ask 'GET /2018-06-01/runtime/invocation/next' '' next\nexit 9\n",
    )
    .await;
    let outcome = lambda.invoke("script", "ok").await.expect("an outcome");
    assert!(outcome.failed);
    lambda.functions.stop().await;
    let status_lines: Vec<_> = lambda
        .log("script")
        .iter()
        .filter(|line| line.contains("HTTP/1.1"))
        .cloned()
        .collect();
    assert_eq!(
        status_lines,
        [
            "stale HTTP/1.1 400 Bad Request",
            "extension HTTP/1.1 501 Not Implemented",
            "quiet HTTP/1.1 200 OK",
            "unknown HTTP/1.1 404 Not Found",
            "next HTTP/1.1 200 OK",
        ]
    );
}

#[tokio::test]
async fn a_runtime_with_a_connection_per_request_is_reused() {
    let lambda = lambda();
    script(
        &lambda,
        "#!/bin/bash\nopen() { exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}; }\n\
         while :; do\nopen\n\
         printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nConnection: close\\r\\n\\r\\n' >&3\n\
         while read -r line <&3 || exit 1; [ \"$line\" != $'\\r' ]; do\n\
         case \"$line\" in Lambda-Runtime-Aws-Request-Id*) id=${line#*: }; id=${id%$'\\r'};; esac; done\nopen\n\
         printf \"POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\\r\\nConnection: close\\r\\n\" >&3\n\
         printf \"Content-Length: ${#$}\\r\\n\\r\\n$$\" >&3\nread -r line <&3\ndone\n",
    )
    .await;
    let first = lambda.invoke_for_body("script", "ok").await;
    // Gives the process time to ask for the next event.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(lambda.invoke_for_body("script", "ok").await, first);
    lambda.functions.stop().await;
}

#[tokio::test]
async fn a_process_that_left_its_process_group_is_killed_as_well() {
    let lambda = lambda();
    script(
        &lambda,
        "#!/bin/bash\nsetsid sleep 60 & echo \"child $!\"\nsetsid bash -c 'sleep 60 & wait' & echo \"child $!\"\n\
         sleep 60\n",
    )
    .await;
    let functions = lambda.functions.clone();
    tokio::spawn(async move { functions.invoke(invocation("script", "ok")).await });
    let children = || {
        let lines = lambda.log("script");
        let ids = lines.iter().filter_map(|line| line.strip_prefix("child "));
        ids.map(str::to_owned).collect::<Vec<_>>()
    };
    wait_until("it has children", || children().len() == 2).await;
    let children = children();
    assert!(children.iter().all(|id| is_alive(id)));
    lambda.functions.stop().await;
    assert!(children.iter().all(|id| !is_alive(id)), "{children:?}");
}
