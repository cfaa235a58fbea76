//! Selection of findings.

use insta::assert_snapshot;

use super::{OPEN, SOURCE, example, two};
use crate::common::Sandbox;

/// Creates a file with two mistakes, each of another rule.
fn both() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("a.yaml", example(OPEN, '-'));
    sandbox.write("b.yaml", example(SOURCE, '-'));
    sandbox
}

fn rules(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let run = sandbox.run(&format!("lint --json {line}"));
    let mut rules: Vec<_> = run.json()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap().to_owned())
        .collect();
    rules.dedup();
    rules
}

#[test]
fn rules_are_selected_by_id_name_and_prefix() {
    let all = ["SG102", "SG113"];
    assert_eq!(rules(&both(), ""), all);
    assert_eq!(rules(&both(), "--select SG1"), all);
    assert_eq!(rules(&both(), "--select sg113"), ["SG113"]);
    assert_eq!(
        rules(&both(), "--select connect-open-beside-authorizer"),
        ["SG102"]
    );
    assert_eq!(rules(&both(), "--select SG102,SG113"), all);
    assert_eq!(rules(&both(), "--select SG102 --select SG113"), all);
    assert_eq!(rules(&both(), "--ignore SG102"), ["SG113"]);
    assert_eq!(rules(&both(), "--select SG1 --ignore SG10"), ["SG113"]);
    assert!(rules(&both(), "--select SG2").is_empty());
}

#[test]
fn an_unknown_rule_is_bad_usage() {
    assert_snapshot!(two().run("lint --select SG1O2"), @r#"
    exit 2
    --- stderr
    error: there is no rule "SG1O2"
    help: did you mean SG102 connect-open-beside-authorizer? list all rules with `stackgen rule`
    look up a rule: stackgen explain SG102
    "#);
    assert_snapshot!(two().run("lint --ignore connect-open"), @r#"
    exit 2
    --- stderr
    error: there is no rule "connect-open"
    help: did you mean SG102 connect-open-beside-authorizer? list all rules with `stackgen rule`
    look up a rule: stackgen explain SG102
    "#);
    assert_eq!(two().run("lint --select SG102,").code, Some(2));
}

/// Rule of severity note.
const LEFT_OUT: &str = "authorizers/authorization_type_left_out";

#[test]
fn warnings_and_errors_are_reported() {
    let sandbox = Sandbox::new();
    sandbox.write("a.yaml", example(OPEN, '-'));
    sandbox.write("b.yaml", example(LEFT_OUT, '-'));
    let counts = |least: &str| {
        let run = sandbox.run(&format!("lint --select SG1 --json {least}"));
        let summary = run.json()["summary"].clone();
        ["errors", "warnings", "notes", "lesser"].map(|key| summary[key].as_u64().unwrap())
    };
    let [errors, warnings, notes, lesser] = counts("--min-severity note");
    assert_eq!((errors, warnings, lesser), (1, 0, 0));
    assert!(notes > 0);
    for least in ["", "--min-severity warning", "--min-severity error"] {
        assert_eq!(counts(least), [1, 0, 0, notes], "{least}");
    }
    let code = |line: &str| {
        sandbox
            .run(&format!("lint b.yaml --select SG1 {line}"))
            .code
    };
    assert_eq!(code("--min-severity note"), Some(3));
    assert_eq!(code(""), Some(0));
    assert_snapshot!(sandbox.run("lint b.yaml --select SG1"), @"
    exit 0
    --- stderr
    1 template, 1 WebSocket API: no findings; 1 more with `--min-severity note`
    ");
}

#[test]
fn a_rule_selected_in_full_reports_notes() {
    let sandbox = Sandbox::new();
    sandbox.write("a.yaml", example(LEFT_OUT, '-'));
    let code = |line: &str| sandbox.run(&format!("lint --select {line}")).code;
    assert_eq!(code("SG119"), Some(3));
    assert_eq!(code("authorization-type-left-out"), Some(3));
    assert_eq!(code("SG11"), Some(0));
    assert_eq!(code("SG119 --min-severity warning"), Some(0));
}
