//! Report formats for programs.

use insta::assert_snapshot;
use serde_json::Value as Json;

use super::{OPEN, example, piped, two};
use crate::common::Sandbox;

#[test]
fn json() {
    let run = two().run("lint --select SG102 --json");
    assert_snapshot!(run, @r#"
    exit 3
    --- stdout
    {
      "version": 1,
      "findings": [
        {
          "rule": "SG102",
          "name": "connect-open-beside-authorizer",
          "severity": "error",
          "confidence": "high",
          "message": "`$connect` is open, and authorizer Authorizer is never invoked",
          "file": "open.yaml",
          "line": 38,
          "column": 26,
          "endLine": 38,
          "endColumn": 30,
          "resource": "ConnectRoute",
          "path": [
            "AuthorizationType"
          ],
          "related": [
            {
              "message": "the authorizer",
              "file": "open.yaml",
              "line": 10,
              "column": 3,
              "endLine": 10,
              "endColumn": 13,
              "resource": "Authorizer",
              "path": []
            }
          ],
          "hint": "set `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref Authorizer`",
          "rows": [
            "A1",
            "C2",
            "D1"
          ],
          "fix": null
        }
      ],
      "suppressed": [],
      "errors": [],
      "summary": {
        "templates": 2,
        "apis": 2,
        "errors": 1,
        "warnings": 0,
        "notes": 0,
        "lesser": 0,
        "suppressed": 0,
        "baselined": 0,
        "fixed": 0,
        "unread": 0
      }
    }
    "#);
}

#[test]
fn github() {
    assert_snapshot!(two().run("lint --select SG102 --format github"), @"
    exit 3
    --- stdout
    ::error file=open.yaml,line=38,endLine=38,col=26,endColumn=30,title=SG102 connect-open-beside-authorizer::`$connect` is open, and authorizer Authorizer is never invoked%0Aset `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref Authorizer`
    --- stderr
    2 templates, 2 WebSocket APIs: 1 error
    ");
}

#[test]
fn junit() {
    assert_snapshot!(two().run("lint --select SG102 --format junit"), @r#"
    exit 3
    --- stdout
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="stackgen lint" tests="2" failures="1" errors="0" skipped="0">
      <testsuite name="open.yaml" tests="1" failures="1" errors="0" skipped="0">
        <testcase name="SG102 connect-open-beside-authorizer: ConnectRoute.AuthorizationType" classname="open.yaml" file="open.yaml" line="38">
          <failure type="error" message="`$connect` is open, and authorizer Authorizer is never invoked">open.yaml:38:26: `$connect` is open, and authorizer Authorizer is never invoked
    open.yaml:10:3: the authorizer
    help: set `AuthorizationType: CUSTOM` and `AuthorizerId: !Ref Authorizer`</failure>
        </testcase>
      </testsuite>
      <testsuite name="right.yaml" tests="1" failures="0" errors="0" skipped="0">
        <testcase name="wiring" classname="right.yaml"/>
      </testsuite>
    </testsuites>
    --- stderr
    2 templates, 2 WebSocket APIs: 1 error
    "#);
}

#[test]
fn sarif() {
    let run = two().run("lint --select SG102 --format sarif --quiet");
    let log = run.json();
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "SG102");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let result = &run["results"][0];
    let fingerprint = &result["partialFingerprints"]["stackgenWiring/v1"];
    assert_eq!(fingerprint, "SG102/ConnectRoute/AuthorizationType/1");
    assert_eq!(result["suppressions"], Json::Null);
    let place = &result["locations"][0]["physicalLocation"];
    assert_snapshot!(serde_json::to_string_pretty(place).unwrap(), @r#"
    {
      "artifactLocation": {
        "uri": "open.yaml",
        "uriBaseId": "%SRCROOT%"
      },
      "region": {
        "startLine": 38,
        "startColumn": 26,
        "endLine": 38,
        "endColumn": 30
      }
    }
    "#);
    assert_eq!(
        result["relatedLocations"][0]["message"]["text"],
        "the authorizer"
    );
}

#[test]
fn files_that_cannot_be_read_are_in_every_format() {
    let sandbox = two();
    sandbox.write("broken.yaml", "Resources: [\n");
    let line = "lint open.yaml broken.yaml --select SG102";
    let json = sandbox.run(&format!("{line} --json"));
    assert_eq!((json.code, json.stderr.as_str()), (Some(2), ""));
    assert_eq!(json.json()["errors"][0]["file"], "broken.yaml");
    assert_eq!(json.json()["findings"].as_array().unwrap().len(), 1);
    for (format, has) in [
        ("sarif", "toolExecutionNotifications"),
        ("junit", "<error type=\"input\""),
        ("github", "::error file=broken.yaml,line=2"),
    ] {
        let run = sandbox.run(&format!("{line} --format {format}"));
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stdout.contains(has), "{run}");
        assert!(run.stderr.contains("1 error in broken.yaml"), "{run}");
    }
}

#[test]
fn a_report_is_written_to_a_file() {
    let sandbox = two();
    let run = sandbox.run("lint --select SG102 --format sarif --out reports/lint.sarif");
    assert_snapshot!(run, @"
    exit 3
    --- stderr
    2 templates, 2 WebSocket APIs: 1 error
    ");
    let report = sandbox
        .run("lint --select SG102 --format sarif --quiet")
        .stdout;
    assert_eq!(sandbox.read("reports/lint.sarif"), report);
    let run = sandbox.run("lint --select SG102 --color always --out report.txt --quiet");
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
    let report = sandbox.read("report.txt");
    assert!(report.starts_with("error[SG102]: `$connect`") && !report.contains('\u{1b}'));
    assert_eq!(sandbox.run("lint --out open.yaml/x").code, Some(2));
}

#[test]
fn incompatible_formats() {
    assert_snapshot!(two().run("lint --json --format sarif").code.unwrap(), @"2");
    let fixed = piped(
        &Sandbox::new(),
        "lint - --fix --format sarif",
        &example(OPEN, '-'),
    );
    assert_snapshot!(fixed, @"
    exit 2
    --- stderr
    error: standard output gets the fixed template, and cannot get the report too
    help: write the report to a file with `--out`
    ");
}
