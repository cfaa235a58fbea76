//! Lambda functions.

use serde_json::json;
use stackgen_deploy::{Account, AccountErrorKind, FunctionName, FunctionVersion, UpdateStatus};

use crate::replay::{Replay, error, get, sent};

#[tokio::test]
async fn a_function_has_a_code_digest_and_an_update_status() {
    let configuration = |state: &str, last: &str, variable: &str| {
        json!({
            "FunctionName": "chat", "CodeSha256": "c2hh", "RevisionId": "r1", "Runtime": "provided.al2023", "State": state,
            "LastUpdateStatus": last, "LastUpdateStatusReason": "why",
            "Environment": { "Variables": { "A": variable, "B": "2" } },
        })
    };
    let path = "GET /2015-03-31/functions/chat/configuration";
    let replay = Replay::of([
        get(path, configuration("Active", "Successful", "1")),
        get(path, configuration("Active", "InProgress", "1")),
        get(path, configuration("Pending", "Successful", "1")),
        get(path, configuration("Active", "Failed", "1")),
        get(
            "GET /2015-03-31/functions/chat/configuration?Qualifier=3",
            configuration("Active", "Successful", "other"),
        ),
    ])
    .await;
    let name = FunctionName::new("chat");
    let mut found = Vec::new();
    for _ in 0..4 {
        found.push(replay.aws.function(&name, None).await.unwrap());
    }
    let updates: Vec<_> = found.iter().map(|state| state.update.clone()).collect();
    let failed = UpdateStatus::Failed("why".to_owned());
    assert_eq!(
        updates,
        [
            UpdateStatus::Successful,
            UpdateStatus::InProgress,
            UpdateStatus::InProgress,
            failed
        ]
    );
    assert_eq!(found[0].revision.as_deref(), Some("r1"));
    assert_eq!(found[0].configuration, found[1].configuration);
    let version = replay
        .aws
        .function(&name, Some(&FunctionVersion::new("3")))
        .await
        .unwrap();
    assert_ne!(version.configuration, found[0].configuration);
    assert!(!format!("{version:?}").contains("other"));
    replay.end();
}

#[tokio::test]
async fn sending_code_names_the_revision_and_publishing_the_digest_of_the_code() {
    let replay = Replay::of([
        sent(
            "PUT /2015-03-31/functions/chat/code",
            json!({ "ZipFile": "UEs=", "RevisionId": "r1" }),
            200,
            json!({ "CodeSha256": "c2hh", "State": "Active", "LastUpdateStatus": "InProgress" }),
        ),
        error(
            "PUT /2015-03-31/functions/chat/code",
            json!({ "ZipFile": "UEs=", "RevisionId": "r1" }),
            412,
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId",
        ),
        sent(
            "POST /2015-03-31/functions/chat/versions",
            json!({ "CodeSha256": "c2hh" }),
            201,
            json!({ "Version": "4" }),
        ),
    ])
    .await;
    let name = FunctionName::new("chat");
    let send = || replay.aws.update_code(&name, Some("r1"), b"PK");
    send().await.unwrap();
    let outdated = send().await.unwrap_err();
    assert_eq!(outdated.kind, AccountErrorKind::Outdated);
    assert_eq!(
        replay.aws.publish_version(&name, "c2hh").await.unwrap(),
        FunctionVersion::new("4")
    );
    replay.end();
}
