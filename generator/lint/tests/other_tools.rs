//! The same chat, wired right, as other tools make it. What is found in it is argued in docs/guide/lint-other-tools.md.

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

/// Severity, rule and resource of what is found of warning and above.
fn told(file: &str) -> Vec<(&'static str, String)> {
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
    let loud = report
        .findings
        .into_iter()
        .filter(|finding| finding.severity > Severity::Note);
    loud.map(|finding| {
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
fn what_is_found_in_templates_of_other_tools() {
    let mut text = String::new();
    for file in TEMPLATES {
        let _ = writeln!(text, "{file}");
        for (rule, resource) in told(file) {
            let _ = writeln!(text, "  {rule} {resource}");
        }
    }
    insta::assert_snapshot!(text, @"
    cdk/Chat.template.json
    sam/template.yaml
    serverless/cloudformation-template-update-stack.json
      SG502 IamRoleLambdaExecution
      SG312 ConnectLambdaPermissionWebsockets
      SG118 AuthorizeLambdaPermissionWebsockets
      SG312 MessageLambdaPermissionWebsockets
    ");
}

#[test]
fn every_finding_is_argued() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/lint-other-tools.md");
    let page = fs::read_to_string(page).unwrap();
    for (rule, resource) in TEMPLATES.iter().flat_map(|file| told(file)) {
        assert!(
            page.contains(&format!("## {rule} ")),
            "{rule} at {resource} is not argued"
        );
    }
}
