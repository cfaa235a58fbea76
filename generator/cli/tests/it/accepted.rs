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
    // Two environments of two starters, one of the others, three formats each.
    assert_eq!(templates.len(), 18);
    assert_eq!(run(&cfn_lint, &[], &templates), "");
}

#[test]
fn sam_accepts_every_sam_template() {
    let Some(sam) = tool("sam") else { return };
    let sandbox = Sandbox::new();
    let mut templates = rendered(&sandbox);
    templates.retain(|path| path.ends_with("sam.yaml"));
    assert_eq!(templates.len(), 6);
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
