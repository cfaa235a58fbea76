//! `stackgen lint`

use std::fs;

use insta::assert_snapshot;

use crate::common::{Sandbox, root};

/// A template with a mistake, or without it: a side of the difference that is the rule's main example.
fn fixture(rule: &str, side: char) -> String {
    let file = format!("generator/lint/fixtures/{rule}.diff");
    let difference = fs::read_to_string(root().join(file)).unwrap();
    let other = if side == '-' { '+' } else { '-' };
    let lines = difference.lines().filter(|line| !line.starts_with(other));
    lines.map(|line| format!("{}\n", &line[1..])).collect()
}

/// A template whose `$connect` lets everybody in, in `open.yaml`, and one that is right, in `right.yaml`.
fn two() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("open.yaml", fixture(OPEN, '-'));
    sandbox.write("right.yaml", fixture(OPEN, '+'));
    sandbox
}

const OPEN: &str = "authorizers/connect_open_beside_authorizer";

#[test]
fn a_mistake_is_told_with_its_place() {
    assert_snapshot!(two().run("lint open.yaml"), @"
    exit 3
    --- stdout
    error[SG102]: `$connect` lets everybody in, and authorizer Authorizer is never invoked
      --> open.yaml:38:26
       |
    10 |   Authorizer:
       |   ---------- the authorizer
    ...
    38 |       AuthorizationType: NONE
       |                          ^^^^
       |
       = note: rule connect-open-beside-authorizer; rows A1, D1 of the API Gateway reference
       = help: set `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref Authorizer`
    --- stderr
    1 template, 1 WebSocket API: 1 error
    ");
}

#[test]
fn nothing_found_is_said_too() {
    assert_snapshot!(two().run("lint right.yaml"), @"
    exit 0
    --- stderr
    1 template, 1 WebSocket API: nothing found
    ");
}
