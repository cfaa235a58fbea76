//! Versions, aliases and policies.

use serde_json::{Value, json};
use stackgen_gateway_lambda::functions::LATEST;

use super::{account, refusal};

#[tokio::test]
async fn row_d17_versions_are_published_and_listed() {
    let account = account().await;
    account.create("worker").await;
    let sdk = &account.sdk;
    let publish = || sdk.publish_version().function_name("worker");
    for _ in 0..2 {
        let published = publish().send().await.expect("a version");
        assert_eq!(published.version(), Some("1"));
    }
    assert_eq!(
        refusal(publish().code_sha256("other").send().await),
        "InvalidParameterValueException"
    );
    let versions = sdk
        .list_versions_by_function()
        .function_name("worker")
        .send()
        .await
        .expect("a list");
    let arns: Vec<_> = versions
        .versions()
        .iter()
        .filter_map(|one| one.function_arn())
        .collect();
    assert_eq!(
        arns,
        [
            "arn:aws:lambda:us-east-1:000000000000:function:worker:$LATEST",
            "arn:aws:lambda:us-east-1:000000000000:function:worker:1",
        ]
    );
}

#[tokio::test]
async fn an_alias_is_invoked_by_its_arn_updated_and_deleted() {
    let account = account().await;
    account.create("worker").await;
    let sdk = &account.sdk;
    let publish = sdk.publish_version().function_name("worker");
    publish.send().await.expect("a version");
    let alias = sdk
        .create_alias()
        .function_name("worker")
        .name("live")
        .function_version("1")
        .send();
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:worker:live";
    assert_eq!(alias.await.expect("an alias").alias_arn(), Some(arn));
    assert_eq!(
        account.invoke(arn, "env:AWS_LAMBDA_FUNCTION_VERSION").await["body"],
        "1"
    );
    let moved = sdk
        .update_alias()
        .function_name("worker")
        .name("live")
        .function_version(LATEST)
        .send();
    assert_eq!(
        moved.await.expect("an alias").function_version(),
        Some(LATEST)
    );
    let listed = sdk
        .list_aliases()
        .function_name("worker")
        .send()
        .await
        .expect("a list");
    assert_eq!(listed.aliases().len(), 1);
    sdk.delete_alias()
        .function_name("worker")
        .name("live")
        .send()
        .await
        .expect("done");
    let gone = sdk
        .get_alias()
        .function_name("worker")
        .name("live")
        .send()
        .await;
    assert_eq!(refusal(gone), "ResourceNotFoundException");
}

#[tokio::test]
async fn row_d19_a_policy_belongs_to_a_qualifier() {
    let account = account().await;
    account.create("worker").await;
    let sdk = &account.sdk;
    sdk.publish_version()
        .function_name("worker")
        .send()
        .await
        .expect("a version");
    let grant = sdk
        .add_permission()
        .function_name("worker")
        .qualifier("1")
        .statement_id("api");
    let grant = grant
        .action("lambda:InvokeFunction")
        .principal("apigateway.amazonaws.com");
    let grant = grant.source_arn("arn:aws:execute-api:us-east-1:000000000000:abc/*");
    let statement = grant.send().await.expect("a statement");
    let expected = json!({
        "Sid": "api",
        "Effect": "Allow",
        "Principal": { "Service": "apigateway.amazonaws.com" },
        "Action": "lambda:InvokeFunction",
        "Resource": "arn:aws:lambda:us-east-1:000000000000:function:worker:1",
        "Condition": { "ArnLike": { "AWS:SourceArn": "arn:aws:execute-api:us-east-1:000000000000:abc/*" } },
    });
    let added: Value = serde_json::from_str(statement.statement().expect("text")).expect("JSON");
    assert_eq!(added, expected);
    let policy = sdk
        .get_policy()
        .function_name("worker")
        .qualifier("1")
        .send()
        .await;
    let policy = policy.expect("a policy");
    let policy: Value = serde_json::from_str(policy.policy().expect("text")).expect("JSON");
    assert_eq!(policy["Statement"], json!([expected]));
    let unqualified = sdk.get_policy().function_name("worker").send().await;
    assert_eq!(refusal(unqualified), "ResourceNotFoundException");
    let remove = || {
        sdk.remove_permission()
            .function_name("worker")
            .qualifier("1")
            .statement_id("api")
            .send()
    };
    remove().await.expect("done");
    assert_eq!(refusal(remove().await), "ResourceNotFoundException");
}
