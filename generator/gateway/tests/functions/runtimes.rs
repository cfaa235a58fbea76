//! Python and Node functions: their interpreters, packages and errors.

use std::path::Path;
use std::time::Duration;

use stackgen_gateway_common::invoke::InvokeErrorKind;
use stackgen_gateway_common::{Event, FunctionSettings};
use stackgen_gateway_lambda::functions::{Code, Configuration};
use tempfile::TempDir;

use crate::support::{Lambda, configuration, lambda, lambda_with, payload};

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

/// Project with the folder `code` of the function `worker`.
struct TestProject(TempDir);

impl TestProject {
    fn new(file: &str, source: &str) -> Self {
        let project = TestProject(tempfile::tempdir().expect("a folder"));
        project.write(&format!("code/{file}"), source);
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Creates a virtual environment of Python without packages.
    fn create_venv(&self, python: &Path, path: &str) {
        let status = std::process::Command::new(python)
            .args(["-m", "venv", "--without-pip"])
            .arg(self.0.path().join(path))
            .status();
        assert!(status.expect("a status").success());
    }

    /// Returns a Lambda of this project, with the `PATH` of the tests.
    fn lambda(&self) -> Lambda {
        self.lambda_with_path(&std::env::var("PATH").expect("a path"))
    }

    fn lambda_with_path(&self, path: &str) -> Lambda {
        lambda_with(FunctionSettings {
            path: Some(path.to_owned()),
            project: Some(self.0.path().to_owned()),
            ..FunctionSettings::default()
        })
    }

    async fn put(&self, lambda: &Lambda, runtime: &str) {
        let configuration = Configuration {
            runtime: runtime.to_owned(),
            handler: "app.handler".to_owned(),
            ..configuration(&[("TABLE", "sessions")])
        };
        let code = Code::Folder(self.0.path().join("code"));
        let put = lambda
            .functions
            .create_or_update("worker", configuration, code);
        put.await.expect("a function");
    }
}

/// Returns the messages of the notes about functions.
async fn notes(lambda: &Lambda) -> Vec<String> {
    let notes = lambda.functions.runtime_notes(&[]).await.into_iter();
    notes.map(|note| note.message).collect()
}

/// Writes an executable script.
fn write_program(file: &Path, script: &str) {
    std::fs::write(file, format!("#!/bin/sh\n{script}\n")).expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(file, mode).expect("a mode");
}

/// Returns a folder with programs that fail as shims without an interpreter do.
fn dead_shims() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["python3.13", "python3", "node"] {
        write_program(
            &folder.path().join(name),
            "echo 'command not found' >&2; exit 127",
        );
    }
    folder
}

/// Invokes the function and returns the reason of the failure that the gateway reports.
async fn reported_failure(lambda: &Lambda) -> String {
    let mut events = lambda.events.subscribe();
    let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
    assert!(outcome.failed);
    Lambda::wait_for_event(&mut events, |event| match event {
        Event::FunctionFailed { reason, .. } => Some(reason),
        _ => None,
    })
    .await
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

#[tokio::test]
async fn python_functions_need_only_python() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let project = TestProject::new("app.py", PYTHON);
    let lambda = project.lambda();
    project.put(&lambda, "python3.13").await;
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
async fn node_functions_need_only_node() {
    if stackgen_test_tools::on_path("node").is_none() {
        return;
    }
    for (runtime, file, source) in [
        ("nodejs22.x", "app.js", NODE.to_owned()),
        (
            "nodejs24.x",
            "app.mjs",
            NODE.replace("exports.handler", "export const handler"),
        ),
    ] {
        let project = TestProject::new(file, &source);
        let lambda = project.lambda();
        project.put(&lambda, runtime).await;
        assert_answers_throws_and_logs(&lambda, "TypeError").await;
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_an_error_of_lambda() {
    if stackgen_test_tools::on_path("node").is_none() {
        return;
    }
    let project = TestProject::new(
        "app.js",
        "exports.handler = async () => 'x'.repeat(7 * 1024 * 1024)",
    );
    let lambda = project.lambda();
    project.put(&lambda, "nodejs22.x").await;
    for _ in 0..2 {
        let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
        assert!(outcome.failed);
        assert_eq!(
            payload(&outcome)["errorType"],
            "Function.ResponseSizeTooLarge"
        );
    }
}

#[tokio::test]
async fn the_virtual_environment_of_the_project_comes_first() {
    let Some(python) = stackgen_test_tools::on_path("python3") else {
        return;
    };
    let source = "import sys\ndef handler(event, context): return sys.prefix";
    for (place, environment) in [("the project", ".venv"), ("the code", "code/venv")] {
        let project = TestProject::new("app.py", source);
        project.create_venv(&python, environment);
        let lambda = project.lambda();
        project.put(&lambda, "python3.13").await;
        let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
        let prefix = project.0.path().join(environment);
        assert_eq!(payload(&outcome), prefix.display().to_string(), "{place}");
        let function = lambda.functions.get("worker", None).expect("a function");
        let root = function.code.root.as_ref().expect("code");
        assert!(
            !root.join("venv").exists(),
            "a virtual environment is no code"
        );
    }
}

#[tokio::test]
async fn the_active_virtual_environment_is_used() {
    let Some(python) = stackgen_test_tools::on_path("python3") else {
        return;
    };
    let project = TestProject::new(
        "app.py",
        "import sys\ndef handler(event, context): return sys.prefix",
    );
    project.create_venv(&python, "elsewhere");
    let active = project.0.path().join("elsewhere");
    let lambda = lambda_with(FunctionSettings {
        virtual_env: Some(active.clone()),
        ..FunctionSettings::default()
    });
    project.put(&lambda, "python3.13").await;
    let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
    assert_eq!(payload(&outcome), active.display().to_string());
}

#[tokio::test]
async fn shims_without_an_interpreter_are_passed_over() {
    let shims = dead_shims();
    let path = format!(
        "{}:{}",
        shims.path().display(),
        std::env::var("PATH").expect("a path")
    );
    for (program, runtime, file, source) in [
        ("python3", "python3.13", "app.py", PYTHON),
        ("node", "nodejs22.x", "app.js", NODE),
    ] {
        if stackgen_test_tools::on_path(program).is_none() {
            continue;
        }
        let project = TestProject::new(file, source);
        let lambda = project.lambda_with_path(&path);
        project.put(&lambda, runtime).await;
        let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
        assert!(!outcome.failed, "{}", payload(&outcome));
    }
}

#[tokio::test]
async fn without_an_interpreter_the_error_says_what_to_install() {
    let shims = dead_shims();
    let nothing = tempfile::tempdir().expect("a folder");
    let project = TestProject::new("app.py", "");
    let error_message = async |folder: &TempDir, runtime: &str| {
        let lambda = project.lambda_with_path(&folder.path().display().to_string());
        project.put(&lambda, runtime).await;
        let notes = notes(&lambda).await;
        let refused = lambda.invoke("worker", "ok").await.expect_err("a refusal");
        assert_eq!(refused.kind, InvokeErrorKind::Unrunnable);
        let (_, reason) = refused
            .message
            .split_once("cannot run worker: ")
            .expect("a reason");
        assert_eq!(notes, [format!("{runtime} functions cannot run: {reason}")]);
        reason.to_owned()
    };
    let message = error_message(&nothing, "python3.13").await;
    assert_eq!(
        message,
        "there is no Python on the PATH: install python3.13"
    );
    let message = error_message(&nothing, "nodejs22.x").await;
    assert_eq!(
        message,
        "there is no Node.js on the PATH: install Node.js 22"
    );
    let message = error_message(&shims, "nodejs22.x").await;
    let node = shims.path().join("node").display().to_string();
    assert_eq!(
        message,
        format!(
            "no Node.js on this machine works: install Node.js 22 ({node} ends with exit status: 127)"
        )
    );
    write_program(&shims.path().join("node"), "echo 16.20.2; echo /nowhere");
    let message = error_message(&shims, "nodejs22.x").await;
    assert!(message.contains("node is too old: 16.20.2"), "{message}");
}

#[tokio::test]
async fn notes_tell_other_versions_and_packages_that_only_lambda_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let node = folder.path().join("node");
    write_program(&node, "echo 20.1.0; echo");
    let project = TestProject::new("app.mjs", "import { S3 } from '@aws-sdk/client-s3';");
    let lambda = project.lambda_with_path(&folder.path().display().to_string());
    project.put(&lambda, "nodejs22.x").await;
    let other_version = format!(
        "nodejs22.x functions run on Node.js 20.1.0 ({})",
        node.display()
    );
    let missing = format!(
        "worker: Lambda has @aws-sdk/client-s3 built in and this machine has not: npm install --no-save --prefix \
         {} @aws-sdk/client-s3",
        project.0.path().display()
    );
    assert_eq!(notes(&lambda).await, [other_version.clone(), missing]);
    // In a package folder of the project, above the code.
    project.write("node_modules/@aws-sdk/client-s3/index.js", "");
    assert_eq!(notes(&lambda).await, [other_version]);
    project.put(&lambda, "nodejs20.x").await;
    assert!(notes(&lambda).await.is_empty());
}

#[tokio::test]
async fn a_missing_package_of_lambda_is_reported_with_the_command_that_installs_it() {
    let Some(python) = stackgen_test_tools::on_path("python3") else {
        return;
    };
    let project = TestProject::new(
        "app.py",
        "import boto3\ndef handler(event, context): return boto3.name",
    );
    project.create_venv(&python, ".venv");
    let lambda = project.lambda();
    project.put(&lambda, "python3.13").await;
    let reason = reported_failure(&lambda).await;
    let program = project.0.path().join(".venv/bin/python");
    let install = format!(
        "Lambda has boto3 built in and this machine has not: {} -m pip install boto3",
        program.display()
    );
    let error = "it did not start: Runtime.ImportModuleError: Unable to import module 'app': No module named 'boto3'";
    assert_eq!(reason, format!("{error}; {install}"));
    let notes = notes(&lambda).await;
    assert_eq!(notes.last(), Some(&format!("worker: {install}")));
    // Imports inside of a handler fail later.
    project.write(
        "code/app.py",
        "def handler(event, context):\n    import boto3",
    );
    project.put(&lambda, "python3.13").await;
    assert_eq!(reported_failure(&lambda).await, install);
}

#[tokio::test]
async fn a_virtual_environment_that_is_created_after_a_failed_start_is_used() {
    let Some(python) = stackgen_test_tools::on_path("python3") else {
        return;
    };
    let project = TestProject::new(
        "app.py",
        "import stackgen_test_package as package\ndef handler(event, context): return package.name",
    );
    let lambda = project.lambda();
    project.put(&lambda, "python3.13").await;
    let error = reported_failure(&lambda).await;
    assert!(
        error.contains("No module named 'stackgen_test_package'"),
        "{error}"
    );
    project.create_venv(&python, ".venv");
    let packages = std::fs::read_dir(project.0.path().join(".venv/lib")).expect("a folder");
    let packages = packages
        .flatten()
        .next()
        .expect("a version")
        .path()
        .join("site-packages");
    std::fs::write(
        packages.join("stackgen_test_package.py"),
        "name = 'installed'",
    )
    .expect("a file");
    let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
    assert_eq!(payload(&outcome), "installed");
}

#[tokio::test]
async fn packages_of_the_project_are_found_above_the_code() {
    if stackgen_test_tools::on_path("node").is_none() {
        return;
    }
    let source = "import found from 'found';\nexport const handler = async () => found";
    let project = TestProject::new("app.mjs", source);
    let lambda = project.lambda();
    project.put(&lambda, "nodejs22.x").await;
    let reason = reported_failure(&lambda).await;
    assert!(
        reason.starts_with("it did not start: Error: Cannot find package 'found'"),
        "{reason}"
    );
    project.write("node_modules/found/index.js", "module.exports = 'found'");
    let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
    assert_eq!(payload(&outcome), "found");
}

#[tokio::test]
async fn a_handler_in_typescript_is_reported() {
    if stackgen_test_tools::on_path("node").is_none() {
        return;
    }
    let project = TestProject::new(
        "app.ts",
        "export const handler = async (): Promise<number> => 1;",
    );
    let lambda = project.lambda();
    project.put(&lambda, "nodejs22.x").await;
    let reason = reported_failure(&lambda).await;
    assert_eq!(
        reason,
        "it did not start: Runtime.ImportModuleError: Error: Cannot find module 'app'; app.ts is TypeScript, which Lambda \
         does not run: compile it to JavaScript"
    );
}

#[tokio::test]
async fn the_timeout_starts_with_the_first_event() {
    let lambda = lambda();
    let mut slow = configuration(&[("PUPPET_INIT", "sleep:2500")]);
    slow.timeout = Duration::from_secs(2);
    lambda.create_puppet_with("puppet", slow).await;
    assert_eq!(lambda.invoke_for_body("puppet", "count").await, "1");
}

#[tokio::test]
async fn packages_that_the_code_declares_are_noted_once_with_the_command_of_their_file() {
    if stackgen_test_tools::on_path("node").is_none() {
        return;
    }
    let source = "const express = require('express'); exports.handler = async () => express;";
    let project = TestProject::new("app.js", source);
    let manifest = r#"{"dependencies":{"express":"5","bundled":"1"}}"#;
    project.write("code/package.json", manifest);
    let lambda = project.lambda();
    project.put(&lambda, "nodejs22.x").await;
    let advice = format!(
        "express of package.json is not installed: npm install --prefix {}/code",
        project.0.path().display()
    );
    let notes = notes(&lambda).await;
    assert_eq!(notes.last(), Some(&format!("worker: {advice}")));
    let reason = reported_failure(&lambda).await;
    assert!(reason.ends_with(&format!("; {advice}")), "{reason}");
}

#[tokio::test]
async fn modules_of_layers_are_found_by_both_kinds_of_imports() {
    if stackgen_test_tools::on_path("node").is_none() {
        return;
    }
    let required = "exports.handler = async () => require('layered').text;";
    let imported = "import { text } from 'layered'; export const handler = async () => text;";
    for (file, source) in [("app.js", required), ("app.mjs", imported)] {
        let project = TestProject::new(file, source);
        project.write(
            "layer/nodejs/node_modules/layered/index.js",
            "exports.text = 'layered';",
        );
        let lambda = project.lambda();
        let layer = Code::Layers(vec![Code::Folder(project.0.path().join("layer"))]);
        let layers = lambda.functions.copy_code(layer).await.expect("a copy");
        let configuration = Configuration {
            runtime: "nodejs22.x".to_owned(),
            handler: "app.handler".to_owned(),
            layers: layers.root.ok(),
            ..configuration(&[])
        };
        let code = Code::Folder(project.0.path().join("code"));
        let put = lambda
            .functions
            .create_or_update("worker", configuration, code);
        put.await.expect("a function");
        let outcome = lambda.invoke("worker", "ok").await.expect("an outcome");
        assert_eq!(payload(&outcome), "layered", "{file}");
    }
}

#[tokio::test]
async fn distributions_of_requirements_txt_are_noted_if_python_does_not_find_them() {
    let Some(python) = stackgen_test_tools::on_path("python3") else {
        return;
    };
    let project = TestProject::new("app.py", "def handler(event, context): return 1");
    project.create_venv(&python, ".venv");
    let requirements = "Absent_One>=1\npresent\nvendored.name\nboto3\n";
    project.write("code/requirements.txt", requirements);
    project.write("code/present.py", "");
    let metadata = "Metadata-Version: 2.1\nName: Vendored_Name\nVersion: 1\n";
    project.write("code/vendored_name-1.dist-info/METADATA", metadata);
    let lambda = project.lambda();
    project.put(&lambda, "python3.13").await;
    let root = project.0.path().display();
    let expected = format!(
        "worker: absent-one of requirements.txt is not installed: {root}/.venv/bin/python -m pip install -r \
         {root}/code/requirements.txt"
    );
    assert_eq!(notes(&lambda).await.last(), Some(&expected));
}
