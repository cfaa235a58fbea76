//! Suppressed findings.

use insta::assert_snapshot;

use super::{OPEN, example};
use crate::common::Sandbox;

/// Creates a template that suppresses a finding with a reason.
fn suppressed() -> Sandbox {
    let sandbox = Sandbox::new();
    let comment = "AuthorizationType: NONE # stackgen: ignore[SG102] for 'the' <b>team</b>";
    let text = example(OPEN, '-').replacen("AuthorizationType: NONE", comment, 1);
    sandbox.write("a.yaml", text);
    sandbox
}

#[test]
fn suppressed_findings_are_shown_on_request() {
    assert_snapshot!(suppressed().run("lint --select SG102"), @"
    exit 0
    --- stderr
    1 template, 1 WebSocket API: no findings; 1 suppressed
    ");
    assert_snapshot!(suppressed().run("lint --select SG102 --show-suppressed"), @"
    exit 0
    --- stdout
    suppressed[SG102]: a.yaml:38:26: `$connect` is open, and authorizer Authorizer is never invoked: for 'the' <b>team</b>
    --- stderr
    1 template, 1 WebSocket API: no findings; 1 suppressed
    look up a rule: stackgen explain SG102
    ");
}

#[test]
fn reports_for_programs_have_the_reason() {
    let json = suppressed().run("lint --select SG102 --json").json();
    assert_eq!(json["findings"].as_array().unwrap().len(), 0);
    assert_eq!(json["suppressed"][0]["rule"], "SG102");
    assert_eq!(json["suppressed"][0]["reason"], "for 'the' <b>team</b>");
    assert_eq!(json["summary"]["suppressed"], 1);
    let sarif = |more: &str| {
        let run = suppressed().run(&format!("lint --select SG102 --format sarif {more}"));
        run.json()["runs"][0]["results"].clone()
    };
    assert_eq!(sarif("").as_array().unwrap().len(), 0);
    let result = &sarif("--show-suppressed")[0];
    assert_eq!(result["suppressions"][0]["kind"], "inSource");
    let why = &result["suppressions"][0]["justification"];
    assert_eq!(why, "for 'the' <b>team</b>");
    let junit = suppressed().run("lint --select SG102 --format junit --show-suppressed");
    let skipped = "<skipped message=\"for 'the' &lt;b&gt;team&lt;/b&gt;\"/>";
    assert!(junit.stdout.contains(skipped), "{junit}");
}

#[test]
fn suppressed_findings_are_not_in_the_baseline() {
    let sandbox = suppressed();
    sandbox.run("lint --select SG102 --baseline known.json --update-baseline");
    assert!(!sandbox.read("known.json").contains("SG102"));
}

#[test]
fn suppressed_findings_of_ignored_rules_are_not_counted() {
    let json = suppressed().run("lint --ignore SG102 --json").json();
    assert_eq!(json["summary"]["suppressed"], 0);
}
