//! Functions: made, changed, shown, listed, refused.

use aws_sdk_lambda as sdk;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stackgen_gateway_lambda::functions::LATEST;

use super::{account, code_of, refusal, script, zip};

#[tokio::test]
async fn a_function_is_made_and_changed() {
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
async fn a_published_version_is_shown_with_its_own_arn() {
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
async fn what_lambda_would_refuse_is_refused_with_its_errors() {
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

#[tokio::test]
async fn a_zip_is_unpacked_within_its_folder_or_not_at_all() {
    let account = account().await;
    account.create("worker").await;
    let update = |zip: Vec<u8>| {
        let update = account.sdk.update_function_code().function_name("worker");
        update.zip_file(Blob::new(zip)).send()
    };
    let start = b"#!/bin/sh\n";
    let outside = zip(&[("bootstrap", start), ("../../outside", b"x")]);
    let refused = update(outside).await.expect_err("a refusal");
    assert!(
        refused
            .message()
            .is_some_and(|message| message.contains("is outside of it")),
        "{refused:?}"
    );
    let broken = update(b"no zip".to_vec()).await.expect_err("a refusal");
    assert!(
        broken
            .message()
            .is_some_and(|message| message.starts_with("Could not unzip uploaded file"))
    );
    let mut linked = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    linked
        .add_symlink("bootstrap", "/bin/sh", options)
        .expect("a link");
    let linked = linked.finish().expect("a zip").into_inner();
    let refused = update(linked).await.expect_err("a refusal");
    assert!(
        refused
            .message()
            .is_some_and(|message| message.contains("is a link")),
        "{refused:?}"
    );
    assert_eq!(
        account.invoke("worker", "body:as before").await["body"],
        "as before"
    );
}
