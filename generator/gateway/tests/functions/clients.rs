//! Lambda and CloudWatch Logs as the AWS SDK and the `aws` command see them, over a real socket.

use std::io::Write;
use std::time::Duration;

use aws_sdk_cloudwatchlogs as logs;
use aws_sdk_lambda as sdk;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, InvocationType, LogType, Runtime, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use stackgen_gateway::control::{self, Services};
use stackgen_gateway::functions::LATEST;
use stackgen_gateway::logs::PutLogs;
use stackgen_gateway::{FunctionSettings, Place, Statement, Timestamp};

use crate::support::{Lambda, lambda_with, puppet, until};

/// A Lambda with a control endpoint, and clients of it.
struct Account {
    lambda: Lambda,
    endpoint: String,
    sdk: sdk::Client,
    logs: logs::Client,
}

async fn account() -> Account {
    let lambda = lambda_with(FunctionSettings {
        retry: Duration::from_millis(5),
        ..FunctionSettings::default()
    });
    let routes = control::routes(Services {
        lambda: control::lambda::routes(lambda.functions.clone()),
        logs: control::logs::routes(lambda.logs.clone(), Place::default()),
        ..Services::default()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let endpoint = format!("http://{address}");
    let (sdk, logs) = clients(&endpoint, "AKIAIOSFODNN7EXAMPLE");
    Account {
        lambda,
        endpoint,
        sdk,
        logs,
    }
}

fn clients(endpoint: &str, key: &str) -> (sdk::Client, logs::Client) {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let keys = sdk::config::Credentials::new(key, "secret", None, None, "test");
    let lambda = sdk::Config::builder()
        .behavior_version(sdk::config::BehaviorVersion::latest())
        .region(sdk::config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(keys.clone())
        .http_client(http.clone())
        .retry_config(sdk::config::retry::RetryConfig::disabled());
    let logs = logs::Config::builder()
        .behavior_version(logs::config::BehaviorVersion::latest())
        .region(logs::config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(keys)
        .http_client(http);
    (
        sdk::Client::from_conf(lambda.build()),
        logs::Client::from_conf(logs.build()),
    )
}

/// A zip with these files, all of them executable.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    for (name, bytes) in files {
        zip.start_file(*name, options).expect("an entry");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("a zip").into_inner()
}

/// A bootstrap that starts the puppet from where it is: small enough to be uploaded.
fn script(note: &str) -> Vec<u8> {
    let text = format!("#!/bin/sh\n# {note}\nexec {}\n", puppet().display());
    zip(&[("bootstrap", text.as_bytes())])
}

fn code_of(zip: Vec<u8>) -> FunctionCode {
    FunctionCode::builder().zip_file(Blob::new(zip)).build()
}

impl Account {
    async fn create(&self, name: &str) -> sdk::operation::create_function::CreateFunctionOutput {
        let environment = Environment::builder()
            .variables("TABLE", "sessions")
            .build();
        let create = self.sdk.create_function().function_name(name);
        let create = create
            .code(code_of(script("first")))
            .role("arn:aws:iam::000000000000:role/worker")
            .runtime(Runtime::Providedal2023)
            .handler("bootstrap")
            .timeout(20)
            .environment(environment);
        create.send().await.expect("a function")
    }

    async fn invoke(&self, name: &str, what: &str) -> Value {
        let payload = Blob::new(json!({ "do": what }).to_string());
        let invoked = self
            .sdk
            .invoke()
            .function_name(name)
            .payload(payload)
            .send();
        let invoked = invoked.await.expect("an outcome");
        let payload = invoked.payload().expect("a payload");
        serde_json::from_slice(payload.as_ref()).expect("JSON")
    }
}

/// The code of a service's error.
fn refusal<T, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => "(no error)".to_owned(),
        Err(error) => error.code().unwrap_or("(no code)").to_owned(),
    }
}

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

#[tokio::test]
async fn invocations_wait_go_on_alone_or_only_ask() {
    let account = account().await;
    account.create("worker").await;
    let event = |what: &str| {
        let payload = Blob::new(json!({ "do": what }).to_string());
        account
            .sdk
            .invoke()
            .function_name("worker")
            .payload(payload)
    };
    let tailed = event("print:said this;throw:no")
        .log_type(LogType::Tail)
        .send()
        .await;
    let tailed = tailed.expect("an outcome");
    assert_eq!(
        (tailed.status_code(), tailed.function_error()),
        (200, Some("Unhandled"))
    );
    assert_eq!(tailed.executed_version(), Some(LATEST));
    let tail = STANDARD
        .decode(tailed.log_result().expect("a log"))
        .expect("base64");
    let tail = String::from_utf8(tail).expect("text");
    assert!(tail.starts_with("START RequestId: "), "{tail}");
    assert!(tail.contains("\nsaid this\nEND RequestId: "), "{tail}");

    let later = event("print:later")
        .invocation_type(InvocationType::Event)
        .send()
        .await;
    assert_eq!(later.expect("taken").status_code(), 202);
    until("it ran", || {
        account
            .lambda
            .log("worker")
            .iter()
            .any(|line| line == "later")
    })
    .await;
    let dry = event("exit")
        .invocation_type(InvocationType::DryRun)
        .send()
        .await;
    assert_eq!(dry.expect("allowed").status_code(), 204);
}

#[tokio::test]
async fn invocations_that_reach_no_function_are_lambdas_errors() {
    let account = account().await;
    account.create("worker").await;
    let event = |what: &str| {
        let payload = Blob::new(json!({ "do": what }).to_string());
        let invoke = account.sdk.invoke().function_name("worker");
        invoke.payload(payload)
    };
    let ghost = account.sdk.invoke().function_name("ghost").send().await;
    assert_eq!(refusal(ghost), "ResourceNotFoundException");
    let text = account
        .sdk
        .invoke()
        .function_name("worker")
        .payload(Blob::new("no json"))
        .send()
        .await;
    assert_eq!(refusal(text), "InvalidRequestContentException");
    let large = event(&"x".repeat(6 * 1024 * 1024)).send().await;
    assert_eq!(refusal(large), "RequestTooLargeException");
    let none = account
        .sdk
        .put_function_concurrency()
        .function_name("worker")
        .reserved_concurrent_executions(0);
    none.send().await.expect("done");
    assert_eq!(
        refusal(event("ok").send().await),
        "TooManyRequestsException"
    );
}

#[tokio::test]
async fn row_d19_a_function_that_invokes_another_is_held_to_its_role() {
    let account = account().await;
    account.create("worker").await;
    let key = account.invoke("worker", "env:AWS_ACCESS_KEY_ID").await;
    let (as_worker, _) = clients(&account.endpoint, key["body"].as_str().expect("a key"));
    let invoke = || {
        as_worker
            .invoke()
            .function_name("worker")
            .payload(Blob::new("{}"))
            .send()
    };
    assert_eq!(refusal(invoke().await), "AccessDeniedException");
    let policy = json!({ "Statement": { "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*" } });
    let statements = Statement::of_policy(&policy).expect("a policy");
    account.lambda.roles.declare("worker", statements);
    assert_eq!(invoke().await.expect("an outcome").status_code(), 200);
}

#[tokio::test]
async fn row_d17_versions_over_the_wire() {
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
async fn an_alias_is_invoked_by_its_arn_and_moves_over_the_wire() {
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
async fn row_d19_policies_over_the_wire_are_of_a_qualifier() {
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
    let said: Value = serde_json::from_str(statement.statement().expect("text")).expect("JSON");
    assert_eq!(said, expected);
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

/// Logs with a group of three events in two streams.
async fn three_events() -> Account {
    let account = account().await;
    let logs = &account.logs;
    logs.create_log_group()
        .log_group_name("group")
        .send()
        .await
        .expect("a group");
    let stream = logs
        .create_log_stream()
        .log_group_name("group")
        .log_stream_name("a");
    stream.send().await.expect("a stream");
    let event = |at: i64, message: &str| {
        let event = logs::types::InputLogEvent::builder()
            .timestamp(at)
            .message(message);
        event.build().expect("an event")
    };
    let put = logs
        .put_log_events()
        .log_group_name("group")
        .log_stream_name("a");
    let put = put
        .log_events(event(1_000, "one"))
        .log_events(event(3_000, "three"));
    put.send().await.expect("taken");
    let two = vec!["two".to_owned()];
    account
        .lambda
        .logs
        .put("group", "b", Timestamp::from_millis(2_000), two);
    account
}

#[tokio::test]
async fn log_groups_and_streams_are_made_described_and_deleted() {
    let account = three_events().await;
    let logs = &account.logs;
    let again = logs.create_log_group().log_group_name("group").send().await;
    assert_eq!(refusal(again), "ResourceAlreadyExistsException");
    let groups = logs
        .describe_log_groups()
        .log_group_name_prefix("gr")
        .send()
        .await
        .expect("groups");
    assert_eq!(groups.log_groups()[0].stored_bytes(), Some(11));
    let retain = logs
        .put_retention_policy()
        .log_group_name("group")
        .retention_in_days(7);
    retain.send().await.expect("done");
    let groups = logs.describe_log_groups().send().await.expect("groups");
    assert_eq!(groups.log_groups()[0].retention_in_days(), Some(7));
    let streams = logs.describe_log_streams().log_group_name("group");
    let streams = streams
        .order_by(logs::types::OrderBy::LastEventTime)
        .descending(true);
    let streams = streams.send().await.expect("streams");
    let names: Vec<_> = streams
        .log_streams()
        .iter()
        .filter_map(|one| one.log_stream_name())
        .collect();
    assert_eq!(names, ["a", "b"]);
    logs.delete_log_group()
        .log_group_name("group")
        .send()
        .await
        .expect("done");
    let gone = logs
        .filter_log_events()
        .log_group_name("group")
        .send()
        .await;
    assert_eq!(refusal(gone), "ResourceNotFoundException");
}

#[tokio::test]
async fn log_events_are_filtered_page_by_page_over_all_streams() {
    let account = three_events().await;
    let filter = || account.logs.filter_log_events().log_group_name("group");
    let (mut token, mut read, mut ids) = (None, Vec::new(), Vec::new());
    loop {
        let page = filter()
            .limit(2)
            .set_next_token(token)
            .send()
            .await
            .expect("a page");
        read.extend(
            page.events()
                .iter()
                .filter_map(|event| event.message().map(str::to_owned)),
        );
        ids.extend(
            page.events()
                .iter()
                .filter_map(|event| event.event_id().map(str::to_owned)),
        );
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(read, ["one", "two", "three"]);
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let filtered = filter()
        .filter_pattern("-two")
        .start_time(2_000)
        .send()
        .await
        .expect("events");
    assert_eq!(filtered.events()[0].message(), Some("three"));
    let ended = filter().end_time(2_000).send().await.expect("events");
    assert_eq!(ended.events().len(), 2, "the end belongs to it");
    let json = filter().filter_pattern("{ $.x = 1 }").send().await;
    assert_eq!(refusal(json), "InvalidParameterException");
    let live = account
        .logs
        .start_live_tail()
        .log_group_identifiers("group")
        .send()
        .await;
    assert!(live.is_err());
}

#[tokio::test]
async fn log_events_of_a_stream_are_read_in_both_directions() {
    let account = three_events().await;
    let get = || {
        account
            .logs
            .get_log_events()
            .log_group_name("group")
            .log_stream_name("a")
    };
    let last = get().limit(1).send().await.expect("events");
    assert_eq!(last.events()[0].message(), Some("three"));
    let before = get().next_token(last.next_backward_token().expect("a token"));
    let before = before.send().await.expect("events");
    assert_eq!(before.events()[0].message(), Some("one"));
    let after = get().next_token(last.next_forward_token().expect("a token"));
    let after = after.send().await.expect("events");
    assert!(after.events().is_empty());
    assert_eq!(after.next_forward_token(), last.next_forward_token());
    let first = get()
        .limit(1)
        .start_from_head(true)
        .send()
        .await
        .expect("events");
    assert_eq!(first.events()[0].message(), Some("one"));
    let ended = get().end_time(3_000).send().await.expect("events");
    assert_eq!(ended.events().len(), 1, "the end does not belong to it");
}
