//! The `aws` command, as people type it.

use std::process::Output;

use serde_json::Value;
use tokio::process::Command;

use crate::support::Control;

/// Runs `aws …` against the control endpoint; `None` when there is no such command and there need not be.
async fn aws(control: &Control, arguments: &[&str]) -> Option<Output> {
    let mut command = Command::new("aws");
    command
        .args(arguments)
        .env("AWS_ENDPOINT_URL", format!("http://{}", control.address))
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        // Debian's version 2.9 knows no endpoint from the environment.
        .arg("--endpoint-url")
        .arg(format!("http://{}", control.address));
    match command.output().await {
        Ok(output) => Some(output),
        Err(missing) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "there is no aws command: {missing}"
            );
            eprintln!("skipped: there is no aws command");
            None
        }
    }
}

fn json(output: &Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_stage_is_deployed_moved_and_looked_at_by_hand() {
    let control = Control::start().await;
    let api = control.api().await;
    let first = control.stage(&api).await;
    control.route(&api, "ping").await;

    let create = [
        "apigatewayv2",
        "create-deployment",
        "--api-id",
        &api,
        "--description",
        "by hand",
    ];
    let Some(created) = aws(&control, &create).await else {
        return;
    };
    let created = json(&created);
    let second = created["DeploymentId"].as_str().unwrap();
    assert_eq!(created["DeploymentStatus"], "DEPLOYED");
    assert!(!control.serves(&api, "ping"));

    let update = [
        "apigatewayv2",
        "update-stage",
        "--api-id",
        &api,
        "--stage-name",
        "dev",
        "--deployment-id",
        second,
    ];
    let updated = json(&aws(&control, &update).await.unwrap());
    assert_eq!(updated["DeploymentId"], second);
    assert!(control.serves(&api, "ping"));

    let list = [
        "apigatewayv2",
        "get-deployments",
        "--api-id",
        &api,
        "--query",
        "Items[].DeploymentId",
    ];
    let listed = json(&aws(&control, &list).await.unwrap());
    assert_eq!(listed, serde_json::json!([first, second]));

    let query = "Items[?Name=='talk'].ApiId | [0]";
    let found = json(
        &aws(&control, &["apigatewayv2", "get-apis", "--query", query])
            .await
            .unwrap(),
    );
    assert_eq!(found, Value::String(api));
}

#[tokio::test]
async fn errors_and_identity_are_read_by_the_command() {
    let control = Control::start().await;
    let Some(refused) = aws(
        &control,
        &["apigatewayv2", "get-routes", "--api-id", "none"],
    )
    .await
    else {
        return;
    };
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        said.contains("(NotFoundException) when calling the GetRoutes operation")
            && said.contains("Invalid API identifier specified 123456789012:none"),
        "{said}"
    );
    let identity = json(
        &aws(&control, &["sts", "get-caller-identity"])
            .await
            .unwrap(),
    );
    assert_eq!(identity["Account"], "123456789012");
}
