//! The same correct chat from other tools. docs/guide/lint-other-tools.md explains the findings.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use stackgen_cfn::Sources;
use stackgen_lint::{LintInput, Severity, lint};

const TEMPLATES: [&str; 3] = [
    "cdk/Chat.template.json",
    "sam/template.yaml",
    "serverless/cloudformation-template-update-stack.json",
];

/// Returns rule and resource of the errors and warnings.
fn findings_of(file: &str) -> Vec<(&'static str, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/peers")
        .join(file);
    let mut sources = Sources::new();
    let source = sources.add(file, fs::read_to_string(path).unwrap());
    let template = stackgen_cfn::parse(source).unwrap();
    let subject = LintInput {
        template: &template,
        source: Some(source),
        previous: None,
    };
    let report = lint(&subject);
    assert_eq!(report.apis, 1, "{file}");
    let reported = report
        .findings
        .into_iter()
        .filter(|finding| finding.severity > Severity::Note);
    reported
        .map(|finding| {
            let resource = finding
                .location
                .resource
                .as_ref()
                .map_or("", |id| id.as_str());
            (finding.rule.id, resource.to_owned())
        })
        .collect()
}

#[test]
fn findings_in_templates_of_other_tools() {
    let mut text = String::new();
    for file in TEMPLATES {
        let _ = writeln!(text, "{file}");
        for (rule, resource) in findings_of(file) {
            let _ = writeln!(text, "  {rule} {resource}");
        }
    }
    insta::assert_snapshot!(text, @"
    cdk/Chat.template.json
    sam/template.yaml
    serverless/cloudformation-template-update-stack.json
      SG312 ConnectLambdaPermissionWebsockets
      SG118 AuthorizeLambdaPermissionWebsockets
      SG312 MessageLambdaPermissionWebsockets
    ");
}

#[test]
fn the_guide_explains_every_finding() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/lint-other-tools.md");
    let page = fs::read_to_string(page).unwrap();
    for (rule, resource) in TEMPLATES.iter().flat_map(|file| findings_of(file)) {
        assert!(
            page.contains(&format!("## {rule} ")),
            "the guide does not explain {rule} at {resource}"
        );
    }
}
