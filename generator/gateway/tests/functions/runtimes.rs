//! Python and Node functions with AWS's runtime interface clients.

use std::path::{Path, PathBuf};
use std::time::Duration;

use stackgen_gateway_common::FunctionSettings;
use stackgen_gateway_common::invoke::{Invoke, InvokeErrorKind};
use stackgen_gateway_lambda::functions::{Code, Configuration};

use crate::support::{
    Lambda, body, configuration, invocation, lambda, lambda_with, payload, puppet,
};

const PYTHON: &str = r#"
import json, os

print("loading")

def handler(event, context):
    print("line of", event["do"])
    if event["do"] == "throw":
        raise ValueError("on purpose")
    if event["do"] == "env":
        return {key: os.environ.get(key) for key in ("AWS_EXECUTION_ENV", "LAMBDA_TASK_ROOT", "TABLE", "HOME")}
    return {"arn": context.invoked_function_arn, "id": context.aws_request_id, "left": context.get_remaining_time_in_millis()}
"#;

const NODE: &str = r#"
exports.handler = async (event, context) => {
  console.log("line of", event.do);
  if (event.do === "throw") throw new TypeError("on purpose");
  return { arn: context.invokedFunctionArn, id: context.awsRequestId, left: context.getRemainingTimeInMillis() };
};
"#;

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools")
}

async fn put(lambda: &Lambda, runtime: &str, file: &str, source: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(file), source).expect("a file");
    let configuration = Configuration {
        runtime: runtime.to_owned(),
        handler: "app.handler".to_owned(),
        ..configuration(&[("TABLE", "sessions")])
    };
    let code = Code::Folder(folder.path().to_owned());
    let put = lambda
        .functions
        .create_or_update("worker", configuration, code);
    put.await.expect("a function");
}

/// Asserts that the function answers, throws errors and logs.
async fn assert_answers_throws_and_logs(lambda: &Lambda, error_type: &str) {
    let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
    let answer = payload(&outcome);
    assert!(!outcome.failed, "{answer}");
    assert_eq!(
        answer["arn"],
        "arn:aws:lambda:us-east-1:000000000000:function:worker"
    );
    assert_eq!(answer["id"], outcome.request_id);
    let left = answer["left"].as_u64().expect("milliseconds");
    assert!((1..=20_000).contains(&left), "{left}");
    let outcome = lambda.invoke("worker", "throw").await.expect("an outcome");
    assert!(outcome.failed);
    let error = payload(&outcome);
    assert_eq!(
        (&error["errorType"], &error["errorMessage"]),
        (&error_type.into(), &"on purpose".into())
    );
    lambda.functions.stop().await;
    let log = lambda.log("worker");
    assert!(
        log.iter().any(|line| line.contains("line of ok")),
        "{log:#?}"
    );
}

/// A Lambda with a Python that has AWS's client; `None` when it is missing and may be.
fn with_python() -> Option<Lambda> {
    let python = stackgen_test_tools::installed("venv/bin/python")?;
    let client = std::process::Command::new(&python)
        .args(["-c", "import awslambdaric"])
        .status();
    if !client.is_ok_and(|status| status.success()) {
        stackgen_test_tools::skip("awslambdaric is not installed; `make tools` does that");
        return None;
    }
    Some(lambda_with(FunctionSettings {
        python: Some(python),
        ..FunctionSettings::default()
    }))
}

#[tokio::test]
async fn python_runs_through_awslambdaric() {
    let Some(lambda) = with_python() else { return };
    put(&lambda, "python3.13", "app.py", PYTHON).await;
    let outcome = lambda.invoke("worker", "env").await.expect("an outcome");
    let variables = payload(&outcome);
    assert_eq!(variables["AWS_EXECUTION_ENV"], "AWS_Lambda_python3.13");
    assert_eq!(
        (&variables["TABLE"], &variables["HOME"]),
        (&"sessions".into(), &serde_json::Value::Null)
    );
    assert!(
        variables["LAMBDA_TASK_ROOT"]
            .as_str()
            .is_some_and(|root| root.ends_with("/task"))
    );
    assert_answers_throws_and_logs(&lambda, "ValueError").await;
}

#[tokio::test]
async fn a_python_import_error_is_the_error_of_the_invocation() {
    let Some(lambda) = with_python() else { return };
    put(&lambda, "python3.13", "app.py", "import no_such_module\n").await;
    let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
    assert!(outcome.failed);
    let error = payload(&outcome);
    assert_eq!(error["errorType"], "Runtime.ImportModuleError");
}

/// Its client is built on the machine, with a C++ compiler and autotools: `make tools` does without where they are missing.
#[tokio::test]
async fn node_runs_through_aws_lambda_ric() {
    let modules = tools().join("aws-lambda-ric/node_modules");
    if !tools().join("aws-lambda-ric/stamp").is_file() {
        stackgen_test_tools::skip_everywhere(
            "aws-lambda-ric is not installed, for which `make tools` needs a compiler",
        );
        return;
    }
    let lambda = lambda_with(FunctionSettings {
        node_modules: Some(modules),
        ..FunctionSettings::default()
    });
    put(&lambda, "nodejs22.x", "app.js", NODE).await;
    assert_answers_throws_and_logs(&lambda, "TypeError").await;
}

#[tokio::test]
async fn without_a_runtime_interface_client_the_error_says_what_to_install() {
    let folder = tempfile::tempdir().expect("a folder");
    let python = folder.path().join("python3");
    let lambda = lambda_with(FunctionSettings {
        path: Some(folder.path().display().to_string()),
        ..FunctionSettings::default()
    });
    let error_message = async |runtime: &str| {
        put(&lambda, runtime, "app.py", "").await;
        let refused = lambda.invoke("worker", "ok").await.expect_err("a refusal");
        assert_eq!(refused.kind, InvokeErrorKind::Unrunnable);
        refused.message
    };
    let message = error_message("python3.13").await;
    assert!(
        message.contains("install python3.13 and its package awslambdaric"),
        "{message}"
    );
    let message = error_message("nodejs22.x").await;
    assert!(message.contains("install Node.js"), "{message}");
    for name in ["python3", "node"] {
        write_program(&folder.path().join(name), "exit 1");
    }
    let message = error_message("python3.13").await;
    assert!(
        message.contains(&format!("{} -m pip install awslambdaric", python.display())),
        "{message}"
    );
    let message = error_message("nodejs22.x").await;
    assert!(message.contains("npm install aws-lambda-ric"), "{message}");
}

/// Writes an executable script.
fn write_program(file: &Path, script: &str) {
    std::fs::write(file, format!("#!/bin/sh\n{script}\n")).expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(file, mode).expect("a mode");
}

#[tokio::test]
async fn an_installed_client_is_found_without_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let (python, client) = (folder.path().join("python3"), folder.path().join("client"));
    write_program(
        &python,
        &format!(
            "[ -e {} ] || exit 1\n[ \"$1\" = -c ] || exec {}",
            client.display(),
            puppet().display()
        ),
    );
    let lambda = lambda_with(FunctionSettings {
        python: Some(python),
        ..FunctionSettings::default()
    });
    put(&lambda, "python3.13", "app.py", "").await;
    let refused = lambda.invoke("worker", "ok").await.expect_err("a refusal");
    assert_eq!(refused.kind, InvokeErrorKind::Unrunnable);
    std::fs::write(client, "").expect("a file");
    assert_eq!(
        lambda.invoke_for_body("worker", "body:installed").await,
        "installed"
    );
}

#[tokio::test]
async fn nodes_client_is_found_in_the_paths_of_all_its_versions() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = format!("PUPPET=\"body:$1\" exec {}", puppet().display());
    write_program(&folder.path().join("node"), &script);
    for file in ["index.mjs", "bin/index.mjs"] {
        let modules = folder.path().join(file.replace('/', "-"));
        let client = modules.join("aws-lambda-ric").join(file);
        std::fs::create_dir_all(client.parent().expect("a folder")).expect("a folder");
        std::fs::write(&client, "").expect("a file");
        let lambda = lambda_with(FunctionSettings {
            path: Some(folder.path().display().to_string()),
            node_modules: Some(modules),
            ..FunctionSettings::default()
        });
        put(&lambda, "nodejs22.x", "app.js", "").await;
        let mut plain = invocation("worker", "");
        plain.payload = "{}".into();
        let outcome = lambda.functions.invoke(plain).await.expect("an outcome");
        assert_eq!(body(&outcome), client.display().to_string());
    }
}

#[tokio::test]
async fn the_timeout_starts_with_the_first_event() {
    let lambda = lambda();
    let mut slow = configuration(&[("PUPPET_INIT", "sleep:2500")]);
    slow.timeout = Duration::from_secs(2);
    lambda.create_puppet_with("puppet", slow).await;
    assert_eq!(lambda.invoke_for_body("puppet", "count").await, "1");
}
