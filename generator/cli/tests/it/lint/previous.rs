//! `--previous`

use insta::assert_snapshot;

use super::{OPEN, example, git, piped};
use crate::common::{Sandbox, root};

/// Rule that compares revisions.
const STALE: &str = "stages/snapshot_changed_deployment_did_not";

fn earlier() -> String {
    let file = format!("generator/lint/fixtures/{STALE}.previous");
    std::fs::read_to_string(root().join(file)).unwrap()
}

/// Creates a repository whose only commit has the earlier revision of `a.yaml`.
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("a.yaml", earlier());
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    git(&sandbox, &["add", "."]);
    git(&sandbox, &["commit", "--quiet", "--message=one"]);
    sandbox.write("a.yaml", example(STALE, '-'));
    sandbox.write("old.yaml", earlier());
    sandbox
}

#[test]
fn each_file_is_compared_with_its_revision() {
    let sandbox = repository();
    sandbox.write("new.yaml", example(OPEN, '+'));
    let run = sandbox.run("lint a.yaml new.yaml --previous HEAD --select SG4");
    assert_snapshot!(run, @"
    exit 3
    --- stdout
    error[SG406]: deployment Deployment4F2A9C01B7 is unchanged although route sendMessage is new: its stage serves the old wiring
      --> a.yaml:51:3
       |
    51 |   Deployment4F2A9C01B7:
       |   ^^^^^^^^^^^^^^^^^^^^
    ...
    63 |       DeploymentId: !Ref Deployment4F2A9C01B7
       |                     ------------------------- the stage still serves this deployment
       |
       = note: rule snapshot-changed-deployment-did-not; rows D7, D1, M3 of the API Gateway reference
       = help: rename Deployment4F2A9C01B7 and its references, so that CloudFormation creates a new deployment
    --- stderr
    2 templates, 2 WebSocket APIs: 1 error
    look up a rule: stackgen explain SG406
    ");
    let mut command = sandbox.command();
    let path = sandbox.path().join("a.yaml");
    let path = path.to_str().unwrap();
    let output = command
        .args(["lint", path, "--previous", "main", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_snapshot!(sandbox.run("lint new.yaml --previous HEAD --select SG4"), @"
    exit 0
    --- stderr
    note: HEAD has none of these files; nothing is compared
    1 template, 1 WebSocket API: no findings
    ");
    let text = sandbox.read("a.yaml");
    let stdin = "lint - --stdin-filename a.yaml --previous HEAD";
    assert_eq!(piped(&sandbox, stdin, &text).code, Some(3));
    assert_eq!(
        piped(&sandbox, "lint - --previous HEAD", &text).code,
        Some(0)
    );
}

#[test]
fn a_single_template_is_compared_with_a_named_one() {
    let sandbox = repository();
    assert_eq!(sandbox.run("lint a.yaml").code, Some(0));
    for previous in ["old.yaml", "HEAD:a.yaml", "HEAD:./a.yaml"] {
        let run = sandbox.run(&format!("lint a.yaml --previous {previous}"));
        assert_eq!(run.code, Some(3), "{previous}: {run}");
    }
    let run = piped(&sandbox, "lint a.yaml --previous -", &earlier());
    assert_eq!(run.code, Some(3), "{run}");
}

#[test]
fn an_unknown_revision_is_bad_input() {
    let sandbox = repository();
    assert_snapshot!(sandbox.run("lint a.yaml --previous nowhere"), @"
    exit 2
    --- stderr
    error: nowhere is neither a file nor a revision
    help: name a template, a revision, or REV:PATH as `git show` takes it (REV:./PATH starts here)
    ");
    assert_snapshot!(sandbox.run("lint a.yaml old.yaml --previous old.yaml"), @"
    exit 2
    --- stderr
    error: old.yaml is a single template and cannot be compared with 2 files
    help: name one file, or compare with a revision: `--previous main`
    ");
    assert_snapshot!(sandbox.run("lint a.yaml --previous HEAD:nowhere.yaml"), @"
    exit 2
    --- stderr
    error: cannot read HEAD:nowhere.yaml: path 'nowhere.yaml' does not exist in 'HEAD'
    help: name a template, a revision, or REV:PATH as `git show` takes it (REV:./PATH starts here)
    1 file cannot be read
    ");
    assert_snapshot!(sandbox.run("lint - --previous -"), @"
    exit 2
    --- stderr
    error: standard input cannot be both the template and its earlier revision
    ");
    sandbox.write("broken.yaml", "Resources: [\n");
    let run = sandbox.run("lint a.yaml --previous broken.yaml");
    assert_eq!(run.code, Some(2), "{run}");
}
