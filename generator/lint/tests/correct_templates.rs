//! Correct templates, in which the linter finds no errors and no warnings.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use stackgen_cfn::Sources;
use stackgen_lint::output::{LintedFile, human};
use stackgen_lint::{LintInput, Severity, lint};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the errors and warnings of a file as text.
fn reported(path: &Path) -> String {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    reported_in(&path.display().to_string(), text)
}

/// Returns the errors and warnings of a template as text.
fn reported_in(name: &str, text: String) -> String {
    let mut sources = Sources::new();
    let source = sources.add(name, text);
    let template = stackgen_cfn::parse(source).unwrap();
    let subject = LintInput {
        template: &template,
        source: Some(source),
        previous: None,
    };
    let mut report = lint(&subject);
    assert!(
        report.apis > 0,
        "{name}: there is no WebSocket API to check"
    );
    report
        .findings
        .retain(|finding| finding.severity > Severity::Note);
    human::render(&LintedFile {
        file: name.to_owned(),
        report,
        sources,
    })
}

fn assert_no_findings(paths: impl IntoIterator<Item = PathBuf>) {
    let found: Vec<_> = paths
        .into_iter()
        .map(|path| reported(&path))
        .filter(|text| !text.is_empty())
        .collect();
    assert!(found.is_empty(), "{}", found.concat());
}

#[test]
fn small_correct_templates_have_no_findings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/correct");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    assert_no_findings(files);
}

#[test]
fn the_rendered_flagship_has_no_findings() {
    let files = [
        "dev/template.yaml",
        "dev/sam.yaml",
        "prod/template.yaml",
        "prod/sam.yaml",
    ];
    assert_no_findings(files.map(|file| repository().join("out").join(file)));
}

#[test]
fn the_flagship_synthesized_by_cdk() {
    let files = ["dev.template.json", "prod.template.json"];
    assert_no_findings(files.map(|file| {
        repository()
            .join("generator/model/tests/fixtures/cdk")
            .join(file)
    }));
}

fn fixture(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    fs::read_to_string(folder.join(path)).unwrap()
}

#[test]
fn a_variable_that_a_mapping_template_sets_is_not_for_sub() {
    let template = fixture("correct/braces_of_other_languages.yaml");
    let set = r#"#set($Table = "x")"#;
    assert!(template.contains(set));
    for directive in [
        r#"#set ($Table = "x")"#,
        r#"#set(  $Table = "x")"#,
        r#"#set($!Table = "x")"#,
        r#"#set(${Table} = "x")"#,
        r#"#foreach($Table in ["x"])x#end"#,
        "#macro(show $Name $Table)x#end",
    ] {
        let found = reported_in(directive, template.replace(set, directive));
        assert!(found.is_empty(), "{found}");
    }
    let found = reported_in("other", template.replace(set, r#"#set($Tables = "x")"#));
    assert!(found.contains("SG006"), "{found}");
}

#[test]
fn an_action_that_hands_work_over_may_reach_clients() {
    let diff = fixture("management/nothing_sent_to_clients.diff");
    let lines = diff.lines().filter_map(|line| line.get(1..));
    let template = lines.collect::<Vec<_>>().join("\n");
    let with = |action| {
        let template = template.replace("execute-api:ManageConnections", action);
        reported_in(action, template)
    };
    for action in [
        "ecs:RunTask",
        "firehose:PutRecordBatch",
        "kinesis:PutRecords",
        "states:StartSyncExecution",
        "sts:AssumeRole",
    ] {
        let found = with(action);
        assert!(!found.contains("SG517"), "{found}");
    }
    let found = with("s3:GetObject");
    assert!(found.contains("SG517"), "{found}");
}
