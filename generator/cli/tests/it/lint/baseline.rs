//! `--baseline`

use insta::assert_snapshot;

use super::{OPEN, SOURCE, example, two};
use crate::common::Sandbox;

#[test]
fn a_baseline_from_adoption_to_the_last_finding() {
    let sandbox = two();
    let with = "lint --select SG1 --baseline known.json";
    assert_snapshot!(sandbox.run("lint --select SG1 --baseline known.json"), @"
    exit 2
    --- stderr
    error: there is no known.json
    help: create it with `--update-baseline`
    ");
    assert_snapshot!(sandbox.run("lint --select SG102 --baseline known.json --update-baseline"), @"
    exit 0
    --- stdout
    wrote known.json: 1 finding
    ");
    assert_snapshot!(sandbox.read("known.json"), @r#"
    {
      "version": 1,
      "findings": [
        {
          "file": "open.yaml",
          "rule": "SG102",
          "resource": "ConnectRoute",
          "property": "AuthorizationType",
          "count": 1
        }
      ]
    }
    "#);
    assert_snapshot!(sandbox.run(with), @"
    exit 0
    --- stderr
    2 templates, 2 WebSocket APIs: no findings; 1 in the baseline
    ");
    // A finding stays the same when lines move.
    sandbox.write("open.yaml", format!("# one\n# two\n{}", example(OPEN, '-')));
    assert_eq!(sandbox.run(with).code, Some(0));
    // A new finding is reported.
    sandbox.write("new.yaml", example(SOURCE, '-'));
    let run = sandbox.run(with);
    assert_eq!(run.code, Some(3));
    assert!(
        run.stdout.contains("SG113") && !run.stdout.contains("SG102"),
        "{run}"
    );
    // An entry of a fixed mistake is reported until it is removed.
    std::fs::remove_file(sandbox.path().join("new.yaml")).unwrap();
    sandbox.write("open.yaml", example(OPEN, '+'));
    assert_snapshot!(sandbox.run(with), @"
    exit 0
    --- stderr
    note: known.json has entries that were not found: SG102 ConnectRoute.AuthorizationType in open.yaml
    help: remove them with `--update-baseline`
    2 templates, 2 WebSocket APIs: no findings
    look up a rule: stackgen explain SG102
    ");
    let update = sandbox.run(&format!("{with} --update-baseline"));
    assert_eq!(update.code, Some(0));
    assert_snapshot!(sandbox.read("known.json"), @r#"
    {
      "version": 1,
      "findings": []
    }
    "#);
}

#[test]
fn a_second_finding_of_the_same_kind_is_reported() {
    let sandbox = two();
    let open = example(OPEN, '-');
    sandbox.run("lint --baseline known.json --update-baseline");
    let route = open.find("  ConnectRoute:").unwrap();
    let other = open[route..].split("  DefaultRoute:").next().unwrap();
    let other = other.replace("ConnectRoute", "OtherRoute");
    sandbox.write("open.yaml", format!("{open}{other}"));
    assert_eq!(
        sandbox
            .run("lint --select SG102 --baseline known.json")
            .code,
        Some(3)
    );
}

#[test]
fn a_baseline_is_valid_in_every_current_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("stacks/open.yaml", example(OPEN, '-'));
    sandbox.run("lint stacks --baseline known.json --update-baseline");
    let mut command = sandbox.command();
    command.current_dir(sandbox.path().join("stacks"));
    let output = command
        .args(["lint", "--baseline", "../known.json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn entries_of_other_files_and_rules_stay() {
    let sandbox = two();
    sandbox.write("b.yaml", example(SOURCE, '-'));
    sandbox.run("lint --baseline known.json --update-baseline");
    let whole = sandbox.read("known.json");
    sandbox.run("lint right.yaml --baseline known.json --update-baseline");
    sandbox.run("lint --select SG2 --baseline known.json --update-baseline");
    assert_eq!(sandbox.read("known.json"), whole);
    let run = sandbox.run("lint right.yaml --baseline known.json --select SG1");
    assert!(!run.stderr.contains("not found any more"), "{run}");
}

#[test]
fn unreadable_files_leave_the_baseline_unchanged() {
    let sandbox = two();
    sandbox.write("broken.yaml", "Resources: [AWS::\n");
    let run = sandbox.run("lint --baseline known.json --update-baseline");
    assert_eq!(run.code, Some(2), "{run}");
    assert!(!sandbox.path().join("known.json").exists());
}

#[test]
fn a_file_that_is_no_baseline_is_bad_input() {
    let sandbox = two();
    sandbox.write("bad.json", "{\"version\": 1}");
    assert_snapshot!(sandbox.run("lint --baseline bad.json"), @"
    exit 2
    --- stderr
    error: cannot read the baseline bad.json: missing field `findings` at line 1 column 14
    help: move this file away, and create one with `--update-baseline`
    ");
    assert_eq!(
        sandbox
            .run("lint --baseline bad.json --update-baseline")
            .code,
        Some(2)
    );
    sandbox.write("new.json", "{\"version\": 2, \"findings\": []}");
    assert_snapshot!(sandbox.run("lint --baseline new.json"), @"
    exit 2
    --- stderr
    error: cannot read the baseline new.json: its version is 2, but this stackgen reads version 1
    help: move this file away, and create one with `--update-baseline`
    ");
    assert_eq!(sandbox.run("lint --update-baseline").code, Some(2));
}
