//! Log lines that Lambda writes about invocations.

use std::time::Duration;

use serde_json::Value;
use stackgen_gateway_lambda::functions::{Code, Configuration, LogFormat};

use crate::support::{configuration, invocation, lambda, lambda_with_puppet};

/// Replaces numbers and the request ID, which differ between runs.
fn without_numbers(lines: &[String], id: &str) -> Vec<String> {
    let lines = lines.iter().map(|line| line.replace(id, "ID"));
    let digits = |line: String| {
        let mut text = String::new();
        for c in line.chars() {
            let c = if c.is_ascii_digit() { '9' } else { c };
            if c != '9' || !text.ends_with('9') {
                text.push(c);
            }
        }
        text
    };
    lines.map(digits).collect()
}

#[tokio::test]
async fn the_log_of_an_invocation_has_start_output_end_and_report_in_order() {
    let lambda = lambda_with_puppet().await;
    for (what, init) in [("print:one;print:two", true), ("print:three", false)] {
        let (outcome, tail) = lambda
            .functions
            .invoke_with_log(invocation("puppet", what))
            .await
            .expect("an outcome");
        let lines = without_numbers(&tail, &outcome.request_id);
        let own: Vec<_> = what
            .split(';')
            .map(|print| print.replace("print:", ""))
            .collect();
        let mut expected = vec!["START RequestId: ID Version: $LATEST".to_owned()];
        expected.extend(own);
        expected.push("END RequestId: ID".to_owned());
        let init = if init { "\tInit Duration: 9.9 ms" } else { "" };
        expected.push(format!(
            "REPORT RequestId: ID\tDuration: 9.9 ms\tBilled Duration: 9 ms\tMemory Size: 9 MB\tMax Memory Used: 9 MB{init}"
        ));
        assert_eq!(lines, expected);
    }
    let log = lambda.log("puppet");
    assert_eq!(log[0], "INIT_START Runtime Version: provided.al2023");
    assert_eq!(log.len(), 1 + 5 + 4);
}

#[tokio::test]
async fn the_log_group_and_the_format_of_the_configuration_are_used() {
    let lambda = lambda();
    let json = Configuration {
        log_group: Some("/custom/group".to_owned()),
        log_format: LogFormat::Json,
        timeout: Duration::from_secs(20),
        ..configuration(&[])
    };
    lambda.create_puppet_with("puppet", json).await;
    let (_, tail) = lambda
        .functions
        .invoke_with_log(invocation("puppet", "print:plain;ok"))
        .await
        .expect("an outcome");
    let types: Vec<_> = tail
        .iter()
        .map(|line| match serde_json::from_str::<Value>(line) {
            Ok(record) => record["type"].as_str().unwrap_or_default().to_owned(),
            Err(_) => line.clone(),
        })
        .collect();
    assert_eq!(types, ["platform.start", "plain", "platform.report"]);
    assert_eq!(
        lambda
            .invoke_for_body("puppet", "env:AWS_LAMBDA_LOG_FORMAT")
            .await,
        "JSON"
    );
    assert_eq!(
        lambda
            .invoke_for_body("puppet", "env:AWS_LAMBDA_LOG_GROUP_NAME")
            .await,
        "/custom/group"
    );
    assert!(
        !lambda
            .logs
            .streams("/custom/group")
            .expect("a group")
            .is_empty()
    );
}

#[tokio::test]
async fn the_exit_of_a_process_is_logged_before_the_end_of_its_invocation() {
    let lambda = lambda_with_puppet().await;
    let (outcome, tail) = lambda
        .functions
        .invoke_with_log(invocation("puppet", "exit:3"))
        .await
        .expect("an outcome");
    let id = &outcome.request_id;
    assert_eq!(
        tail[1..4],
        [
            format!("RequestId: {id} Error: Runtime exited with error: exit status 3"),
            "Runtime.ExitError".to_owned(),
            format!("END RequestId: {id}"),
        ]
    );
    assert!(tail[4].ends_with("\tStatus: error\tError Type: Runtime.ExitError"));
}

#[tokio::test]
async fn many_lines_stay_whole_and_in_order() {
    let lambda = lambda();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bootstrap");
    let script = "#!/bin/sh\nseq 1 15000\nprintf 'without an end'\nexit 1\n";
    std::fs::write(&file, script).expect("a file");
    let put =
        lambda
            .functions
            .create_or_update("worker", configuration(&[]), Code::Bootstrap(file));
    put.await.expect("a function");
    assert!(
        lambda
            .invoke("worker", "ok")
            .await
            .expect("an outcome")
            .failed
    );
    lambda.functions.stop().await;
    let log = lambda.log("worker");
    let numbers = log.iter().filter_map(|line| line.parse::<u32>().ok());
    assert!(numbers.eq(1..=15_000));
    assert!(log.contains(&"without an end".to_owned()));
}
