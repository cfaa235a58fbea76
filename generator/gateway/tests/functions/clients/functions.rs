//! Functions: creating, updating, reading, listing and errors.

use aws_sdk_lambda as sdk;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stackgen_gateway_lambda::functions::LATEST;

use super::{account, code_of, refusal, script};

#[tokio::test]
async fn a_function_is_created_and_updated() {
    let account = account().await;
    let made = account.create("worker").await;
    assert_eq!(
        made.function_arn(),
        Some("arn:aws:lambda:us-east-1:000000000000:function:worker")
    );
    assert_eq!(
        (made.version(), made.state()),
        (Some(LATEST), Some(&State::Active))
    );
    assert_eq!(
        account.invoke("worker", "env:TABLE").await["body"],
        "sessions"
    );
    let sdk = &account.sdk;

    let updated = sdk
        .update_function_configuration()
        .function_name("worker")
        .timeout(7)
        .send();
    let updated = updated.await.expect("a configuration");
    assert_eq!(
        (updated.timeout(), updated.handler()),
        (Some(7), Some("bootstrap"))
    );
    assert_ne!(updated.revision_id(), made.revision_id());
    let zip = script("second");
    let update = || {
        sdk.update_function_code()
            .function_name("worker")
            .zip_file(Blob::new(zip.clone()))
    };
    let coded = update().publish(true).send().await.expect("code");
    assert_eq!(coded.version(), Some("1"));
    assert_eq!(coded.code_size(), i64::try_from(zip.len()).expect("a size"));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &zip);
    assert_eq!(coded.code_sha256(), Some(STANDARD.encode(digest).as_str()));

    assert_eq!(
        refusal(update().revision_id("old").send().await),
        "PreconditionFailedException"
    );
}

#[tokio::test]
async fn a_published_version_has_its_own_arn() {
    let account = account().await;
    let sdk = &account.sdk;
    account.create("worker").await;
    let publish = sdk.publish_version().function_name("worker");
    publish.send().await.expect("a version");
    let shown = sdk
        .get_function()
        .function_name("worker")
        .qualifier("1")
        .send()
        .await;
    let shown = shown.expect("a function");
    let shown = shown.configuration().expect("a configuration");
    assert_eq!(
        shown.function_arn(),
        Some("arn:aws:lambda:us-east-1:000000000000:function:worker:1")
    );
    let variables = shown
        .environment()
        .and_then(|environment| environment.variables());
    assert_eq!(
        variables
            .and_then(|all| all.get("TABLE"))
            .map(String::as_str),
        Some("sessions")
    );
}

#[tokio::test]
async fn functions_are_listed_page_by_page_and_deleted() {
    let account = account().await;
    let sdk = &account.sdk;
    account.create("worker").await;
    account.create("another").await;
    let listed = sdk
        .list_functions()
        .max_items(1)
        .send()
        .await
        .expect("a list");
    assert_eq!(listed.functions()[0].function_name(), Some("another"));
    let rest = sdk
        .list_functions()
        .marker(listed.next_marker().expect("a marker"))
        .send();
    let rest = rest.await.expect("a list");
    assert_eq!(rest.functions()[0].function_name(), Some("worker"));
    assert_eq!(rest.next_marker(), None);
    sdk.delete_function()
        .function_name("worker")
        .send()
        .await
        .expect("done");
    let gone = sdk
        .get_function_configuration()
        .function_name("worker")
        .send()
        .await;
    assert_eq!(refusal(gone), "ResourceNotFoundException");
}

#[tokio::test]
async fn invalid_requests_get_lambdas_errors() {
    let account = account().await;
    account.create("worker").await;
    let sdk = &account.sdk;
    let invalid = "InvalidParameterValueException";
    let create = |name: &str, code| {
        sdk.create_function()
            .function_name(name)
            .role("r")
            .code(code)
            .send()
    };
    assert_eq!(
        refusal(create("worker", code_of(script("x"))).await),
        "ResourceConflictException"
    );
    let bucket = FunctionCode::builder().s3_bucket("b").s3_key("k").build();
    assert_eq!(refusal(create("other", bucket).await), invalid);
    let change = || sdk.update_function_configuration().function_name("worker");
    let reserved = Environment::builder().variables("AWS_REGION", "x").build();
    let refused = change()
        .environment(reserved)
        .send()
        .await
        .expect_err("a refusal");
    let message = refused.message().unwrap_or_default();
    assert!(
        message.ends_with("Reserved keys used in this request: AWS_REGION"),
        "{message}"
    );
    assert_eq!(refusal(change().timeout(901).send().await), invalid);
    let weights =
        sdk::types::AliasRoutingConfiguration::builder().additional_version_weights("1", 0.5);
    let alias = sdk
        .create_alias()
        .function_name("worker")
        .name("live")
        .function_version(LATEST);
    assert_eq!(
        refusal(alias.routing_config(weights.build()).send().await),
        invalid
    );
    let unknown = account.sdk.list_layers().send().await;
    assert_eq!(refusal(unknown), "UnknownOperationException");
    let nowhere = sdk
        .get_function()
        .function_name("arn:aws:lambda:eu-west-1:1:function:worker")
        .send();
    assert_eq!(refusal(nowhere.await), "ResourceNotFoundException");
}
