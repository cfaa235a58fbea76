//! The `aws` command, with typical command lines.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::{Served, program, run, text};

/// Returns the path of version 2 of the command, which has `logs tail`.
fn aws() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = vec![
        PathBuf::from("/usr/bin/aws"),
        PathBuf::from("/usr/local/bin/aws"),
    ];
    places.extend(std::env::split_paths(&path).map(|folder| folder.join("aws")));
    places.retain(|place| {
        let version = std::process::Command::new(place).arg("--version").output();
        version.is_ok_and(|output| output.stdout.starts_with(b"aws-cli/2."))
    });
    program("version 2 of the aws command", &places)
}

/// Runs `aws {words}` and returns its output.
async fn command(aws: &PathBuf, served: &Served, words: &str) -> String {
    text(&run(&mut prepare(aws, served, words)).await)
}

/// Prepares `aws {words}` against the gateway's control endpoint. Spaces separate the words.
fn prepare(aws: &PathBuf, served: &Served, words: &str) -> Command {
    let mut command = Command::new(aws);
    command
        .args(words.split(' '))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", "/nonexistent")
        .env("AWS_ENDPOINT_URL", &served.state.endpoint)
        .args([
            "--endpoint-url",
            &served.state.endpoint,
            "--region",
            "us-east-1",
        ])
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_PAGER", "");
    command
}

#[tokio::test]
async fn a_stage_is_redeployed_by_hand_as_it_was_in_the_days_before() {
    let Some(aws) = aws() else { return };
    let served = Served::start().await;
    let api = served.api().api_id.clone();
    let before = served.api().stages[0].deployment_id.clone().unwrap();

    let made = command(
        &aws,
        &served,
        &format!("apigatewayv2 create-deployment --api-id {api} --description by-hand"),
    )
    .await;
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["DeploymentStatus"], "DEPLOYED");
    let deployment = made["DeploymentId"].as_str().unwrap();
    assert_ne!(deployment, before.as_str());

    let stage = command(
        &aws,
        &served,
        &format!("apigatewayv2 update-stage --api-id {api} --stage-name prod --deployment-id {deployment}"),
    )
    .await;
    let stage: Value = serde_json::from_str(&stage).unwrap();
    assert_eq!(stage["DeploymentId"], deployment);

    let all = command(
        &aws,
        &served,
        &format!("apigatewayv2 get-deployments --api-id {api} --query length(Items)"),
    )
    .await;
    assert_eq!(all.trim(), "2");
    served.gateway.shutdown().await;
}

#[tokio::test]
async fn errors_are_told_as_aws_tells_them() {
    let Some(aws) = aws() else { return };
    let served = Served::start().await;
    let words = "apigatewayv2 get-routes --api-id none";
    let refused: Output = run(&mut prepare(&aws, &served, words)).await;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("(NotFoundException) when calling the GetRoutes operation")
            && said.contains("Invalid API identifier specified 000000000000:none"),
        "{said}"
    );
    served.gateway.shutdown().await;
}

#[tokio::test]
async fn functions_are_listed_and_their_logs_are_tailed() {
    let Some(aws) = aws() else { return };
    let served = Served::start().await;

    let names = command(
        &aws,
        &served,
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
        &served,
        "sts get-caller-identity --query Account --output text",
    )
    .await;
    assert_eq!(who.trim(), served.state.account);

    let print = "lambda invoke --function-name session-connection-handler-dev --cli-binary-format raw-in-base64-out \
                 --payload {\"do\":\"print:a-line-to-look-for\"} /dev/stdout";
    let answer = command(&aws, &served, print).await;
    assert!(answer.contains("\"StatusCode\": 200"), "{answer}");

    let tail = command(
        &aws,
        &served,
        "logs tail /aws/lambda/session-connection-handler-dev --since 5m --format short",
    )
    .await;
    assert!(tail.contains("a-line-to-look-for"), "{tail}");
    assert!(tail.contains("START RequestId: "), "{tail}");
    assert!(tail.contains("REPORT RequestId: "), "{tail}");
    served.gateway.shutdown().await;
}

#[tokio::test]
async fn logs_are_followed_while_they_are_written() {
    let Some(aws) = aws() else { return };
    let served = Served::start().await;
    let invoke = async |line: &str| {
        let words = "lambda invoke --function-name session-connection-handler-dev --cli-binary-format \
                     raw-in-base64-out --payload";
        let words = format!("{words} {{\"do\":\"print:{line}\"}} /dev/stdout");
        command(&aws, &served, &words).await
    };
    invoke("said-before").await;
    let words =
        "logs tail /aws/lambda/session-connection-handler-dev --since 5m --format short --follow";
    let mut following = prepare(&aws, &served, words)
        // Otherwise the command buffers what it writes to a pipe.
        .env("PYTHONUNBUFFERED", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut heard = async |line: &str| {
        let hears = async {
            while let Some(said) = lines.next_line().await.unwrap() {
                if said.ends_with(line) {
                    return;
                }
            }
            panic!("the command ended before it printed {line}");
        };
        let heard = tokio::time::timeout(Duration::from_secs(60), hears).await;
        assert!(heard.is_ok(), "{line} is not printed");
    };
    heard("said-before").await;
    invoke("said-later").await;
    heard("said-later").await;
    following.kill().await.unwrap();
    served.gateway.shutdown().await;
}
