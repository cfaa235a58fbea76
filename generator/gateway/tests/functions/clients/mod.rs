//! Lambda and CloudWatch Logs, called with the AWS SDK over a real socket.

mod functions;
mod invocations;
mod logs;
mod versions;
mod zips;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatchlogs as logs_sdk;
use aws_sdk_lambda as sdk;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};
use serde_json::{Value, json};
use stackgen_gateway::control::{self, ServiceRouters};
use stackgen_gateway_common::{ArnScope, FunctionSettings, Grants};
use stackgen_gateway_lambda::functions::Functions;

use crate::support::{Lambda, lambda_with, puppet};

/// Local Lambda with a control endpoint and its clients.
struct Account {
    lambda: Lambda,
    endpoint: String,
    sdk: sdk::Client,
    logs: logs_sdk::Client,
}

/// Limits functions to their roles.
struct FunctionRoles(Arc<Functions>);

impl Grants for FunctionRoles {
    fn allows(&self, _access_key: &str, _action: &str, _resource: &str) -> bool {
        true
    }

    fn role_of(&self, access_key: &str) -> Option<String> {
        self.0.role_of(access_key)
    }
}

async fn account() -> Account {
    let lambda = lambda_with(FunctionSettings {
        retry: Duration::from_millis(5),
        ..FunctionSettings::default()
    });
    let routes = control::routes(ServiceRouters {
        lambda: stackgen_gateway_lambda::control::routes(
            lambda.functions.clone(),
            Arc::new(FunctionRoles(lambda.functions.clone())),
        ),
        logs: control::logs::routes(lambda.logs.clone(), ArnScope::default()),
        ..ServiceRouters::default()
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

fn clients(endpoint: &str, key: &str) -> (sdk::Client, logs_sdk::Client) {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let keys = sdk::config::Credentials::new(key, "secret", None, None, "test");
    let lambda = sdk::Config::builder()
        .behavior_version(sdk::config::BehaviorVersion::latest())
        .region(sdk::config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(keys.clone())
        .http_client(http.clone())
        .retry_config(sdk::config::retry::RetryConfig::disabled());
    let logs = logs_sdk::Config::builder()
        .behavior_version(logs_sdk::config::BehaviorVersion::latest())
        .region(logs_sdk::config::Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(keys)
        .http_client(http);
    (
        sdk::Client::from_conf(lambda.build()),
        logs_sdk::Client::from_conf(logs.build()),
    )
}

/// Returns a zip with these files, all executable.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    for (name, bytes) in files {
        zip.start_file(*name, options).expect("an entry");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("a zip").into_inner()
}

/// Returns a zip whose `bootstrap` starts the puppet, the scripted test function, by its path on disk. The zip need not
/// contain the binary.
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

/// Returns the code of a service's error.
fn refusal<T, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    match result {
        Ok(_) => "(no error)".to_owned(),
        Err(error) => error.code().unwrap_or("(no code)").to_owned(),
    }
}
