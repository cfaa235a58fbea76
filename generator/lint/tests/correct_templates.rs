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
    let mut sources = Sources::new();
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let source = sources.add(path.display().to_string(), text);
    let template = stackgen_cfn::parse(source).unwrap();
    let subject = LintInput {
        template: &template,
        source: Some(source),
        previous: None,
    };
    let mut report = lint(&subject);
    assert!(
        report.apis > 0,
        "{}: there is no WebSocket API to check",
        path.display()
    );
    report
        .findings
        .retain(|finding| finding.severity > Severity::Note);
    human::render(&LintedFile {
        file: path.display().to_string(),
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
