//! `stackgen lint` and `stackgen rule`

mod baseline;
mod fix;
mod formats;
mod inputs;
mod previous;
mod rule;
mod select;
mod suppress;

use std::fs;
use std::process::Command;

use insta::assert_snapshot;

use crate::common::{Run, Sandbox, root};

/// Rule whose example has no fix.
const OPEN: &str = "authorizers/connect_open_beside_authorizer";
/// Rule whose example has a fix.
const SOURCE: &str = "authorizers/http_api_identity_source";

/// Returns a rule's example with the mistake (`-`) or without it (`+`).
fn example(rule: &str, side: char) -> String {
    let file = format!("generator/lint/fixtures/{rule}.diff");
    let difference = fs::read_to_string(root().join(file)).unwrap();
    let other = if side == '-' { '+' } else { '-' };
    let lines = difference.lines().filter(|line| !line.starts_with(other));
    lines
        .map(|line| format!("{}\n", line.get(1..).unwrap_or("")))
        .collect()
}

/// Creates `open.yaml`, which lets everyone connect, and `right.yaml` without a mistake.
fn two() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("open.yaml", example(OPEN, '-'));
    sandbox.write("right.yaml", example(OPEN, '+'));
    sandbox
}

/// Runs a command line with a text on stdin.
fn piped(sandbox: &Sandbox, line: &str, text: &str) -> Run {
    let mut command = sandbox.command();
    let command = command.args(line.split_whitespace()).write_stdin(text);
    Run::of(command.output().unwrap())
}

pub(crate) fn git(sandbox: &Sandbox, words: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(sandbox.path()).env("HOME", sandbox.path());
    git.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
    let output = git.args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_finding_has_its_location() {
    assert_snapshot!(two().run("lint open.yaml --select SG102"), @"
    exit 3
    --- stdout
    error[SG102]: `$connect` is open, and authorizer Authorizer is never invoked
      --> open.yaml:38:26
       |
    10 |   Authorizer:
       |   ---------- the authorizer
    ...
    38 |       AuthorizationType: NONE
       |                          ^^^^
       |
       = note: rule connect-open-beside-authorizer; rows A1, C2, D1 of the API Gateway reference
       = help: set `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref Authorizer`
    --- stderr
    1 template, 1 WebSocket API: 1 error
    look up a rule: stackgen explain SG102
    ");
}

#[test]
fn no_findings_are_reported_too() {
    assert_snapshot!(two().run("lint right.yaml --select SG102"), @"
    exit 0
    --- stderr
    1 template, 1 WebSocket API: no findings
    ");
}

#[test]
fn quiet_prints_only_results() {
    let run = two().run("lint --quiet --select SG102");
    assert_eq!((run.code, run.stderr.as_str()), (Some(3), ""));
    assert!(run.stdout.contains("error[SG102]"));
    assert_snapshot!(two().run("lint --quiet right.yaml"), @"exit 0");
}

#[test]
fn a_template_without_a_websocket_api_has_no_findings() {
    let sandbox = Sandbox::new();
    let table = "Resources:\n  Table:\n    Type: AWS::DynamoDB::Table\n";
    sandbox.write("a.yaml", table);
    sandbox.write("b.yaml", table);
    assert_snapshot!(sandbox.run("lint a.yaml b.yaml"), @"
    exit 0
    --- stderr
    no WebSocket API in 2 templates: nothing to check
    ");
}

#[test]
fn an_unreadable_file_does_not_stop_the_others() {
    let sandbox = two();
    sandbox.write("broken.yaml", "Resources:\n  A: [AWS::X\n");
    sandbox.write("spec.yaml", "name: x\nwebsocket: {}\n");
    assert_snapshot!(
        sandbox.run("lint broken.yaml open.yaml nowhere.yaml spec.yaml --select SG102 --min-severity error"),
        @"
    exit 2
    --- stdout
    error[SG102]: `$connect` is open, and authorizer Authorizer is never invoked
      --> open.yaml:38:26
       |
    10 |   Authorizer:
       |   ---------- the authorizer
    ...
    38 |       AuthorizationType: NONE
       |                          ^^^^
       |
       = note: rule connect-open-beside-authorizer; rows A1, C2, D1 of the API Gateway reference
       = help: set `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref Authorizer`
    --- stderr
    error: expected `,` or `]` in the list
     --> broken.yaml:3:1
      |
    3 |
      | ^
      |
      = help: close the bracket, or quote the text that contains it

    1 error in broken.yaml
    error: there is no nowhere.yaml
    help: render one with `stackgen synth`
    error: this is not a CloudFormation template
     --> spec.yaml:1:1
      |
    1 | name: x
      | ^^^^
      |
      = help: this is a stackgen.yaml: name it with `--file`, or render it with `stackgen synth`

    1 error in spec.yaml
    1 template, 1 WebSocket API: 1 error; 3 files cannot be read
    look up a rule: stackgen explain SG102
    "
    );
}

#[test]
fn a_closed_stdout_is_no_failure() {
    let sandbox = two();
    let output = sandbox.run_unread("lint open.yaml");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn results_of_many_files_are_in_order() {
    let sandbox = Sandbox::new();
    for index in 0..60 {
        sandbox.write(&format!("{index:02}.yaml"), example(OPEN, '-'));
    }
    let first = sandbox.run("lint --select SG102");
    let places = first
        .stdout
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--> "));
    let places: Vec<_> = places
        .map(|place| place[..2].parse::<usize>().unwrap())
        .collect();
    assert_eq!(places, (0..60).collect::<Vec<_>>());
    assert_eq!(sandbox.run("lint --select SG102").stdout, first.stdout);
}

#[test]
fn texts_of_files_are_escaped() {
    let sandbox = Sandbox::new();
    let text = example(OPEN, '-').replace("Authorizer:", "\"Auth\\e[31morizer\":");
    sandbox.write("a.yaml", text.replace("!Ref Authorizer", "\"x\""));
    let run = sandbox.run("lint --color never --min-severity note");
    assert!(!run.stdout.contains('\u{1b}'), "{run}");
}
