//! `stackgen explain`

use insta::assert_snapshot;

use crate::common::Sandbox;

#[test]
fn a_row_is_explained_with_its_source() {
    assert_snapshot!(Sandbox::new().run("explain D5"), @"
    exit 0
    --- stdout
    D5 A stage under AutoDeploy
    Deployments and stages

    Its `DeploymentId` cannot be updated: the request fails with 400. API Gateway
    updates it some time after each change. Only the update is documented as
    refused, and AWS publishes a CDK sample whose new stage has both, so CreateStage
    accepts them together.

    Source: the `apigatewayv2` service model that botocore ships, AWS's CDK samples
    Doubt: inferred from other rows, not stated anywhere for CreateStage
    https://github.com/stackgen/stackgen/blob/main/docs/reference/api-gateway-websocket.md#d5
    ");
}

#[test]
fn doubts_about_a_row_are_shown() {
    let run = Sandbox::new().run("explain c6");
    assert!(run.stdout.contains("\nDoubt: "), "{run}");
    let run = Sandbox::new().run("explain f8");
    assert!(
        run.stdout.contains("\nNeeds: ") && run.stdout.contains("\nBeware: "),
        "{run}"
    );
}

#[test]
fn a_close_code_is_explained_with_the_rows_about_it() {
    let run = Sandbox::new().run("explain 1005");
    assert!(
        run.stdout
            .starts_with("close code 1005\n\nlikely (row X1)\n"),
        "{run}"
    );
    let (_, rows) = run.stdout.split_once("\nrows\n").unwrap();
    assert!(
        rows.starts_with("  X1   1005: Why: The close frame had no status"),
        "{run}"
    );
    assert!(
        rows.contains("\n  M16  The client calls `close()` without a code: "),
        "{run}"
    );
}

#[test]
fn an_error_frame_is_explained_by_its_text() {
    let words = Sandbox::new().run("explain internal server error");
    let quoted = Sandbox::new()
        .command()
        .args(["explain", "Internal server error"])
        .output();
    assert_eq!(words.stdout.as_bytes(), quoted.unwrap().stdout);
    let title = "error frame \"Internal server error\"\n\nlikely (rows M4, M7, C7)\n";
    assert!(words.stdout.starts_with(title), "{words}");
    assert!(
        words
            .stdout
            .contains("\nrows\n  M4   The function throws: "),
        "{words}"
    );
}

#[test]
fn a_handshake_status_has_several_causes() {
    let run = Sandbox::new().run("explain 403");
    let first = "handshake status 403\n\npossible (row C3)\n";
    assert!(run.stdout.starts_with(first), "{run}");
    assert!(run.stdout.contains("\npossible (row A15)\n"), "{run}");
    assert!(run.stdout.contains("\n  K5   "), "{run}");
}

#[test]
fn a_rule_is_explained_as_by_the_rule_command() {
    let by_explain = Sandbox::new().run("explain SG113");
    assert_eq!(by_explain.stdout, Sandbox::new().run("rule sg113").stdout);
    let group = Sandbox::new().run("explain sg1");
    assert_eq!(group.stdout, Sandbox::new().run("rule SG1").stdout);
}

#[test]
fn rows_are_listed_by_section() {
    let all = Sandbox::new().run("explain").stdout;
    let letter = Sandbox::new().run("explain d").stdout;
    assert!(letter.starts_with("Deployments and stages\nD1   Contents of a deployment\n"));
    assert!(all.contains(&letter) && all.len() > letter.len());
}

#[test]
fn json_has_explanations_rows_and_rules() {
    let row = Sandbox::new().run("explain D14 --json").json();
    assert_eq!((&row["kind"], &row["name"]), (&"row".into(), &"D14".into()));
    assert_eq!(row["rows"][0]["doubts"].as_array().map(Vec::len), Some(0));
    let code = Sandbox::new().run("explain 1005 --json").json();
    assert_eq!(code["kind"], "closeCode");
    assert_eq!(code["explanations"][0]["rows"][0], code["rows"][0]["id"]);
    let rule = Sandbox::new().run("explain SG113 --json").json();
    assert_eq!(
        rule["rules"],
        Sandbox::new().run("rule SG113 --json").json()["rules"]
    );
}

#[test]
fn an_unknown_name_is_bad_usage() {
    assert_snapshot!(Sandbox::new().run("explain D99"), @r#"
    exit 2
    --- stderr
    error: there is no explanation of "D99"
    help: did you mean D9 or D19? `stackgen explain` takes rows (D5), linter rules (SG102), checks of doctor (DR201), close codes (1005), handshake statuses (403) and error frames (Forbidden)
    look up a row: stackgen explain D5
    "#);
}
