//! What independent tools say of our templates: every starter, and every part of the language, in every environment
//! and format.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests say what they hold by their names"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// A tool of `make tools`. Without it the test fails, unless it is said that the tools are left out.
fn tool(name: &str) -> Option<PathBuf> {
    let path = repository().join(".tools/venv/bin").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var_os("STACKGEN_SKIP_TOOLS").is_some(),
        "{name} is not installed: run `make tools`, or set STACKGEN_SKIP_TOOLS=1 to leave it out"
    );
    println!("skipped: {name} is not installed");
    None
}

/// Renders every example in all formats and gives the folder and the templates.
fn rendered() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository();
    let mut examples: Vec<_> = ["live-session", "chat", "echo"]
        .map(|name| {
            (
                name,
                repository
                    .join("templates")
                    .join(name)
                    .join("stackgen.yaml"),
            )
        })
        .into();
    examples.push((
        "everything",
        repository.join("generator/synth/tests/it/everything.yaml"),
    ));
    let mut templates = Vec::new();
    for (name, file) in examples {
        let out = folder.path().join(name);
        let status = Command::new(cargo_bin("stackgen"))
            .args([
                "synth",
                "--quiet",
                "--unbuilt",
                "--format",
                "cfn-yaml",
                "--format",
                "cfn-json",
                "--format",
                "sam",
            ])
            .arg("--file")
            .arg(&file)
            .arg("--out")
            .arg(&out)
            .status()
            .unwrap();
        assert!(status.success(), "{name}");
        for environment in fs::read_dir(&out).unwrap() {
            let files = fs::read_dir(environment.unwrap().path()).unwrap();
            templates.extend(files.map(|file| file.unwrap().path()));
        }
    }
    templates.sort();
    (folder, templates)
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
    let (_folder, templates) = rendered();
    // Two environments of two starters, one of the others, three formats each.
    assert_eq!(templates.len(), 18);
    assert_eq!(run(&cfn_lint, &[], &templates), "");
}

#[test]
fn sam_accepts_every_sam_template() {
    let Some(sam) = tool("sam") else { return };
    let (_folder, templates) = rendered();
    let templates: Vec<_> = templates
        .into_iter()
        .filter(|path| path.ends_with("sam.yaml"))
        .collect();
    assert_eq!(templates.len(), 6);
    for template in templates {
        let said = run(
            &sam,
            &["validate", "--lint", "--region", "us-east-1", "--template"],
            &[template],
        );
        assert!(said.contains("is a valid SAM Template"), "{said}");
    }
}
