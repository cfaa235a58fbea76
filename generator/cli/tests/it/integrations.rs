//! The GitHub Action and the pre-commit hook.

use std::path::Path;
use std::process::{Command, Output};

use crate::common::{Sandbox, root, tool};

/// Template whose only mistake is a permission for any API.
const LAX: &str =
    "generator/lint/fixtures/peers/serverless/cloudformation-template-update-stack.json";
const RIGHT: &str = "generator/lint/fixtures/peers/sam/template.yaml";

fn stackgen() -> &'static Path {
    Path::new(assert_cmd::cargo::cargo_bin!("stackgen"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Creates a folder with two templates.
fn templates() -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, file) in [("lax stack.json", LAX), ("right.yaml", RIGHT)] {
        sandbox.write(name, std::fs::read(root().join(file)).unwrap());
    }
    sandbox
}

/// Runs the action's script with its inputs. Its outputs are in `github-output`.
fn action(sandbox: &Sandbox, paths: &str, arguments: &str, sarif: &str) -> Output {
    let mut command = Command::new("bash");
    command
        .arg(root().join("tools/action/lint"))
        .current_dir(sandbox.path());
    command
        .env("PATHS", paths)
        .env("ARGS", arguments)
        .env("SARIF", sarif);
    command
        .env("STACKGEN", stackgen())
        .env("RUNNER_TEMP", sandbox.path());
    command.env("GITHUB_OUTPUT", sandbox.path().join("github-output"));
    command.output().unwrap()
}

#[test]
fn the_action_annotates_findings_and_fails() {
    let sandbox = templates();
    let run = action(&sandbox, "lax stack.json\nright.yaml\n", "", "");
    assert_eq!(run.status.code(), Some(3), "{}", text(&run.stderr));
    let annotations = text(&run.stdout);
    assert!(
        annotations.contains("::warning file=lax stack.json,line=433,"),
        "{annotations}"
    );
    assert!(!annotations.contains("right.yaml"), "{annotations}");
    assert_eq!(sandbox.read("github-output"), "exit-code=3\n");
}

#[test]
fn the_action_writes_sarif_to_a_file() {
    let sandbox = templates();
    let run = action(&sandbox, "lax stack.json", "--select=SG3\n", "found.sarif");
    assert_eq!(
        (run.status.code(), text(&run.stdout)),
        (Some(3), String::new())
    );
    let sarif: serde_json::Value = serde_json::from_str(&sandbox.read("found.sarif")).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(!results.is_empty() && results.iter().all(|result| result["ruleId"] == "SG312"));
}

#[test]
fn the_action_passes_without_findings() {
    let sandbox = templates();
    let run = action(&sandbox, "right.yaml", "", "");
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    assert_eq!(sandbox.read("github-output"), "exit-code=0\n");
}

/// GitHub inserts expressions into a script before the shell reads it, so that text of a pull request would be run.
#[test]
fn scripts_of_the_action_contain_no_github_expressions() {
    let action = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let scripts: Vec<_> = action
        .lines()
        .filter(|line| line.trim_start().starts_with("run:"))
        .collect();
    assert_eq!(scripts.len(), 2);
    assert!(
        scripts.iter().all(|line| !line.contains("${{")),
        "{scripts:?}"
    );
}

#[test]
fn workflows_pipelines_forms_and_the_hook_match_their_schemas() {
    let schemas: [(&str, &[&str]); 7] = [
        ("github-actions", &["action.yml"]),
        (
            "github-workflows",
            &[
                ".github/workflows/ci.yml",
                ".github/workflows/docs.yml",
                ".github/workflows/release.yml",
                "docs/pipelines/github.yml",
            ],
        ),
        ("gitlab-ci", &["docs/pipelines/gitlab.yml"]),
        ("buildkite", &["docs/pipelines/buildkite.yml"]),
        ("dependabot", &[".github/dependabot.yml"]),
        (
            "github-issue-forms",
            &[
                ".github/ISSUE_TEMPLATE/behaviour.yml",
                ".github/ISSUE_TEMPLATE/bug.yml",
                ".github/ISSUE_TEMPLATE/finding.yml",
            ],
        ),
        (
            "github-issue-config",
            &[".github/ISSUE_TEMPLATE/config.yml"],
        ),
    ];
    let checks = schemas.map(|(schema, files)| {
        let schema = format!("vendor.{schema}");
        let files = files.iter().map(|file| (*file).to_owned());
        let arguments = ["--builtin-schema".to_owned(), schema];
        (
            "check-jsonschema",
            arguments.into_iter().chain(files).collect(),
        )
    });
    let hook = ["validate-manifest", ".pre-commit-hooks.yaml"].map(str::to_owned);
    let hook: (&str, Vec<String>) = ("pre-commit", hook.to_vec());
    for (name, arguments) in checks.into_iter().chain([hook]) {
        let Some(program) = tool(name) else {
            continue;
        };
        let run = Command::new(program)
            .args(arguments)
            .current_dir(root())
            .output()
            .unwrap();
        assert!(
            run.status.success(),
            "{}{}",
            text(&run.stdout),
            text(&run.stderr)
        );
    }
}

#[test]
fn the_hook_skips_other_files_and_fails_for_findings() {
    let Some(program) = tool("pre-commit") else {
        return;
    };
    let sandbox = templates();
    sandbox.write("other.yaml", "a: 1\n");
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(arguments)
            .current_dir(sandbox.path())
            .status();
        assert!(done.unwrap().success());
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    let home = Sandbox::new();
    let hook = |files: &[&str]| {
        let path = std::env::join_paths(
            std::iter::once(stackgen().parent().unwrap().to_owned())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut command = Command::new(&program);
        command
            .arg("try-repo")
            .arg(root())
            .args(["stackgen-lint", "--files"])
            .args(files);
        command
            .current_dir(sandbox.path())
            .env("PRE_COMMIT_HOME", home.path());
        command.env("PATH", path.unwrap()).output().unwrap()
    };
    let found = hook(&["lax stack.json", "other.yaml"]);
    let stdout = text(&found.stdout);
    assert_eq!(
        found.status.code(),
        Some(1),
        "{stdout}{}",
        text(&found.stderr)
    );
    assert!(stdout.contains("warning[SG312]"), "{stdout}");
    let nothing = hook(&["right.yaml", "other.yaml"]);
    assert!(
        nothing.status.success(),
        "{}{}",
        text(&nothing.stdout),
        text(&nothing.stderr)
    );
}
