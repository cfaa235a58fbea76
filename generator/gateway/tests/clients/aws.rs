//! The `aws` command, with typical command lines.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::{RunningGateway, program, run, text};

/// Returns the path of version 2 of the command, which has `logs tail`.
fn aws() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut paths = vec![
        PathBuf::from("/usr/bin/aws"),
        PathBuf::from("/usr/local/bin/aws"),
    ];
    paths.extend(std::env::split_paths(&path).map(|folder| folder.join("aws")));
    paths.retain(|path| {
        let version = std::process::Command::new(path).arg("--version").output();
        version.is_ok_and(|output| output.stdout.starts_with(b"aws-cli/2."))
    });
    program("version 2 of the aws command", &paths)
}

/// Runs `aws {words}` and returns its output.
async fn command(aws: &PathBuf, running: &RunningGateway, words: &str) -> String {
    text(&run(&mut prepare(aws, running, words)).await)
}

/// Prepares `aws {words}` against the gateway's control endpoint. Spaces separate the words.
fn prepare(aws: &PathBuf, running: &RunningGateway, words: &str) -> Command {
    let mut command = Command::new(aws);
    command
        .args(words.split(' '))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "/nonexistent")
        .env("AWS_ENDPOINT_URL", &running.state.endpoint)
        .args([
            "--endpoint-url",
            &running.state.endpoint,
            "--region",
            "us-east-1",
        ])
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_PAGER", "");
    command
}

#[tokio::test]
async fn a_stage_can_be_redeployed_manually() {
    let Some(aws) = aws() else { return };
    let running = RunningGateway::start().await;
    let api = running.api().api_id.clone();
    let before = running.api().stages[0].deployment_id.clone().unwrap();

    let made = command(
        &aws,
        &running,
        &format!("apigatewayv2 create-deployment --api-id {api} --description by-hand"),
    )
    .await;
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["DeploymentStatus"], "DEPLOYED");
    let deployment = made["DeploymentId"].as_str().unwrap();
    assert_ne!(deployment, before.as_str());

    let stage = command(
        &aws,
        &running,
        &format!("apigatewayv2 update-stage --api-id {api} --stage-name prod --deployment-id {deployment}"),
    )
    .await;
    let stage: Value = serde_json::from_str(&stage).unwrap();
    assert_eq!(stage["DeploymentId"], deployment);

    let all = command(
        &aws,
        &running,
        &format!("apigatewayv2 get-deployments --api-id {api} --query length(Items)"),
    )
    .await;
    assert_eq!(all.trim(), "2");
    running.gateway.shutdown().await;
}

#[tokio::test]
async fn errors_are_those_of_aws() {
    let Some(aws) = aws() else { return };
    let running = RunningGateway::start().await;
    let words = "apigatewayv2 get-routes --api-id none";
    let refused: Output = run(&mut prepare(&aws, &running, words)).await;
    let output = String::from_utf8_lossy(&refused.stderr);
    assert!(
        output.contains("(NotFoundException) when calling the GetRoutes operation")
            && output.contains("Invalid API identifier specified 000000000000:none"),
        "{output}"
    );
    running.gateway.shutdown().await;
}

#[tokio::test]
async fn functions_are_listed_and_their_logs_are_tailed() {
    let Some(aws) = aws() else { return };
    let running = RunningGateway::start().await;

    let names = command(
        &aws,
        &running,
        "lambda list-functions --query Functions[].FunctionName --output text",
    )
    .await;
    let mut names: Vec<&str> = names.split_whitespace().collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["session-authorizer-dev", "session-connection-handler-dev"]
    );

    let who = command(
        &aws,
        &running,
        "sts get-caller-identity --query Account --output text",
    )
    .await;
    assert_eq!(who.trim(), running.state.account);

    let print = "lambda invoke --function-name session-connection-handler-dev --cli-binary-format raw-in-base64-out \
                 --payload {\"do\":\"print:a-line-to-look-for\"} /dev/stdout";
    let answer = command(&aws, &running, print).await;
    assert!(answer.contains("\"StatusCode\": 200"), "{answer}");

    let tail = command(
        &aws,
        &running,
        "logs tail /aws/lambda/session-connection-handler-dev --since 5m --format short",
    )
    .await;
    assert!(tail.contains("a-line-to-look-for"), "{tail}");
    assert!(tail.contains("START RequestId: "), "{tail}");
    assert!(tail.contains("REPORT RequestId: "), "{tail}");
    running.gateway.shutdown().await;
}

#[tokio::test]
async fn logs_can_be_followed() {
    let Some(aws) = aws() else { return };
    let running = RunningGateway::start().await;
    let invoke = async |line: &str| {
        let words = "lambda invoke --function-name session-connection-handler-dev --cli-binary-format \
                     raw-in-base64-out --payload";
        let words = format!("{words} {{\"do\":\"print:{line}\"}} /dev/stdout");
        command(&aws, &running, &words).await
    };
    invoke("said-before").await;
    let words =
        "logs tail /aws/lambda/session-connection-handler-dev --since 5m --format short --follow";
    let mut following = prepare(&aws, &running, words)
        // Otherwise the command buffers what it writes to a pipe.
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut printed = async |line: &str| {
        let waiting = async {
            while let Some(output) = lines.next_line().await.unwrap() {
                if output.ends_with(line) {
                    return;
                }
            }
            panic!("the command ended before it printed {line}");
        };
        let printed = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        assert!(printed.is_ok(), "{line} is not printed");
    };
    printed("said-before").await;
    invoke("said-later").await;
    printed("said-later").await;
    following.kill().await.unwrap();
    running.gateway.shutdown().await;
}
