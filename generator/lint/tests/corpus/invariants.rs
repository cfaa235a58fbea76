//! Invariants of any text, for the fuzzer and for the texts of the corpus.

use std::fmt::Write;

use stackgen_cfn::{Node, Source, Sources, Span};
use stackgen_lint::output::{LintResults, LintedFile, Summary, github, human, json, junit, sarif};
use stackgen_lint::{Finding, Fixed, LintInput, LintReport, fix_all, lint};

/// Reads, lints, reports and fixes a text twice. Panics if any of that does, if the two results differ, or if a
/// location is not in the text.
pub(crate) fn assert_invariants(text: &str) {
    let first = output(text);
    assert_eq!(first, output(text), "a second run has another result");
}

/// Returns all output for a text.
fn output(text: &str) -> String {
    let mut sources = Sources::new();
    let previous = stackgen_cfn::parse(sources.add("previous.yaml", text)).ok();
    let source = sources.add("template.yaml", text).clone();
    let template = match stackgen_cfn::parse(&source) {
        Ok(template) => template,
        Err(errors) => {
            for error in &errors {
                assert_in(&source, error.span);
            }
            return format!("{errors:?}");
        }
    };
    let mut output = String::new();
    for previous in [None, previous.as_ref()] {
        let report = lint(&LintInput {
            template: &template,
            source: Some(&source),
            previous,
        });
        assert_places(&report, &sources);
        output += &formats(report, &sources);
    }
    output + &fixed(&source, previous.as_ref())
}

fn assert_places(report: &LintReport, sources: &Sources) {
    let suppressed = report.suppressed.iter().map(|one| &one.finding);
    for finding in report.findings.iter().chain(suppressed) {
        let related = finding.related.iter().map(|related| related.location.span);
        for span in std::iter::once(finding.location.span).chain(related) {
            if let Some(source) = span.file.and_then(|file| sources.get(file)) {
                assert_in(source, span);
            } else {
                assert_eq!(span, Span::default(), "{}", finding.rule.name);
            }
        }
    }
}

/// Checks that a span is a range of its file between characters, and that its line number is right.
fn assert_in(source: &Source, span: Span) {
    let (start, end) = (span.start as usize, span.end as usize);
    let text = source.text();
    assert!(text.get(start..end).is_some(), "{span:?} is no stretch");
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    assert_eq!(span.line as usize, line, "{span:?}");
}

fn formats(report: LintReport, sources: &Sources) -> String {
    let linted = [LintedFile {
        file: "template.yaml".to_owned(),
        report,
        sources: sources.clone(),
    }];
    let results = LintResults {
        linted: &linted,
        unread: &[],
        summary: &Summary::of(&linted),
        has_baseline: false,
        with_suppressed: true,
    };
    let (json, sarif) = (json::render(&results), sarif::render(&results));
    for text in [&json, &sarif] {
        let read: Result<serde_json::Value, _> = serde_json::from_str(text);
        assert!(read.is_ok(), "{text}");
    }
    let github = github::render(&results);
    assert!(
        github.lines().all(|line| line.starts_with("::")),
        "{github}"
    );
    [
        human::render(&linted[0]),
        json,
        sarif,
        junit::render(&results),
        github,
    ]
    .concat()
}

fn fixed(source: &Source, previous: Option<&Node>) -> String {
    let Fixed { text, fixed, left } = fix_all(source, previous, &|_: &Finding| true);
    let mut sources = Sources::new();
    let read = stackgen_cfn::parse(sources.add("fixed.yaml", text.as_str()));
    assert!(read.is_ok(), "what is fixed cannot be read: {text}");
    let mut output = text;
    for finding in fixed.iter().chain(&left) {
        let _ = write!(output, "\n{}: {}", finding.rule.id, finding.message);
    }
    output
}
