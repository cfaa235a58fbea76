//! Rendered templates checked by independent tools: every starter, and every part of the language, in every environment
//! and format.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::common::{Sandbox, root, tool};

/// Renders every example in all formats, and returns the templates.
fn rendered(sandbox: &Sandbox) -> Vec<PathBuf> {
    let starter = |name| (name, root().join(format!("templates/{name}/stackgen.yaml")));
    let examples = [
        starter("live-session"),
        starter("chat"),
        starter("echo"),
        (
            "everything",
            root().join("generator/synth/tests/it/everything.yaml"),
        ),
    ];
    for (name, file) in examples {
        let formats = "--format cfn-yaml --format cfn-json --format sam";
        let file = file.display();
        let run = sandbox.run(&format!(
            "synth --quiet --unbuilt {formats} --file {file} --out {name}"
        ));
        assert_eq!(run.code, Some(0), "{name}: {run}");
    }
    let files = sandbox.files();
    files.iter().map(|file| sandbox.path().join(file)).collect()
}

fn run(tool: &Path, arguments: &[&str], files: &[PathBuf]) -> String {
    let mut command = Command::new(tool);
    command
        .args(arguments)
        .args(files)
        .env("SAM_CLI_TELEMETRY", "0")
        .env("AWS_DEFAULT_REGION", "us-east-1");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}: {}\n{text}",
        tool.display(),
        output.status
    );
    text
}

#[test]
fn cfn_lint_finds_no_error_and_no_warning() {
    let Some(cfn_lint) = tool("cfn-lint") else {
        return;
    };
    let sandbox = Sandbox::new();
    let templates = rendered(&sandbox);
    // Three environments of one starter, two of another, one of the others, three formats each.
    assert_eq!(templates.len(), 21);
    assert_eq!(run(&cfn_lint, &[], &templates), "");
}

#[test]
fn sam_accepts_every_sam_template() {
    let Some(sam) = tool("sam") else { return };
    let sandbox = Sandbox::new();
    let mut templates = rendered(&sandbox);
    templates.retain(|path| path.ends_with("sam.yaml"));
    assert_eq!(templates.len(), 7);
    let validate = |template: &PathBuf| {
        let arguments = ["validate", "--lint", "--region", "us-east-1", "--template"];
        let output = run(&sam, &arguments, std::slice::from_ref(template));
        assert!(output.contains("is a valid SAM Template"), "{output}");
    };
    // SAM takes one template per call and is slow to start, so two run in parallel.
    thread::scope(|scope| {
        for half in templates.chunks(3) {
            scope.spawn(move || half.iter().for_each(validate));
        }
    });
}

/// Returns the number of checks that a template passes, and the failed checks with their resources.
fn security_checks(checkov: &Path, template: &Path) -> (u64, Vec<String>) {
    let output = Command::new(checkov)
        .args([
            "--quiet",
            "--compact",
            "--skip-download",
            "--output",
            "json",
        ])
        .args(["--framework", "cloudformation", "--file"])
        .arg(template)
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let failed = report["results"]["failed_checks"]
        .as_array()
        .unwrap()
        .iter();
    let failed = failed.map(|check| {
        let text = |key: &str| check[key].as_str().unwrap();
        format!("{} {}", text("check_id"), text("resource"))
    });
    let passed = report["summary"]["passed"].as_u64().unwrap();
    (passed, failed.collect())
}

#[test]
fn checkov_fails_no_check_of_the_hardened_environment() {
    let Some(checkov) = stackgen_test_tools::installed("checkov/bin/checkov") else {
        return;
    };
    let sandbox = Sandbox::new();
    let templates = rendered(&sandbox);
    let checks = |end: &str| {
        let template = templates.iter().find(|path| path.ends_with(end));
        security_checks(&checkov, template.unwrap())
    };
    let (passed, failed) = checks("live-session/prod-hardened/template.yaml");
    assert_eq!(failed, Vec::<String>::new());
    assert!(passed > 100, "{passed}");
    let (_, failed) = checks("live-session/prod/template.yaml");
    assert!(failed.len() > 20, "{failed:?}");
}
