//! Machine-readable formats: they are valid for every finding and for any text.
//!
//! `sarif-schema-2.1.0.json` is OASIS's schema, copied from the crate serde-sarif 0.8.0.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use stackgen_cfn::{Sources, Span};
use stackgen_lint::output::{
    LintResults, LintedFile, Summary, UnreadableFile, github, json, junit, sarif,
};
use stackgen_lint::{Finding, LintInput, LintReport, Location, SuppressedFinding, lint, registry};

/// Returns the output of a format for files of which some cannot be read.
fn output(
    linted: &[LintedFile],
    unread: &[UnreadableFile],
    format: fn(&LintResults<'_>) -> String,
) -> String {
    format(&LintResults {
        linted,
        unread,
        summary: &Summary::of(linted),
        has_baseline: true,
        with_suppressed: true,
    })
}

fn linted(name: &str, text: &str) -> LintedFile {
    let mut sources = Sources::new();
    let source = sources.add(name, text);
    let template = stackgen_cfn::parse(source).unwrap();
    let report = lint(&LintInput {
        template: &template,
        source: Some(source),
        previous: None,
    });
    LintedFile {
        file: name.to_owned(),
        report,
        sources,
    }
}

/// Returns the bad side of every fixture.
fn every_fixture() -> Vec<LintedFile> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    for group in registry::groups() {
        let mut files: Vec<_> = fs::read_dir(fixtures.join(group.name))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "diff"))
            .collect();
        files.sort();
        found.extend(files.iter().map(|file| {
            let difference = fs::read_to_string(file).unwrap();
            let lines = difference.lines().filter(|line| !line.starts_with('+'));
            let text: Vec<_> = lines.map(|line| line.get(1..).unwrap_or("")).collect();
            let stem = file.file_stem().unwrap().to_str().unwrap();
            linted(&format!("{stem}.yaml"), &text.join("\n"))
        }));
    }
    found
}

/// Text that every format must escape.
const ODD: &str = "a \u{1b}[31m\u{0}\u{7}\r\n\t<b> & \"c\" 'd' ]]> :: 100% , \u{fffe}\u{ffff} \u{85} 𝄞 é {0} [x](y)";

const NAMES: [&str; 9] = [
    "stack.yaml",
    "with space.yaml",
    "größe/日本.yaml",
    "100%.yaml",
    "C:\\stacks\\a.yaml",
    "/absolute/a#b?c.yaml",
    "../up/a:b,c.yaml",
    "<stdin>",
    "\u{1}\u{1b}\n.yaml",
];

/// Returns a file with a finding that has such text everywhere.
fn odd(name: &str) -> LintedFile {
    let mut sources = Sources::new();
    let text = "Resources:\n  Größe: x\n";
    let file = sources.add(name, text).id();
    let span = Span {
        file: Some(file),
        start: 13,
        end: u32::try_from(text.len()).unwrap(),
        line: 2,
        column: 3,
    };
    let rule = registry::all().next().unwrap();
    let path = vec![ODD.to_owned(), "0".to_owned()];
    let location = Location {
        path,
        ..Location::at(span)
    };
    let finding = Finding::new(rule, location.clone(), ODD)
        .related(location, ODD)
        .related(Location::default(), ODD)
        .hint(ODD);
    let nowhere = Finding::new(rule, Location::default(), ODD);
    let suppressed = [ODD, ""].map(|reason| SuppressedFinding {
        finding: finding.clone(),
        reason: reason.to_owned(),
    });
    LintedFile {
        file: name.to_owned(),
        sources,
        report: LintReport {
            findings: vec![finding.clone(), finding, nowhere],
            suppressed: suppressed.to_vec(),
            apis: 1,
        },
    }
}

fn unread() -> Vec<UnreadableFile> {
    let mut unread: Vec<_> = NAMES
        .iter()
        .map(|name| UnreadableFile {
            message: ODD.to_owned(),
            file: Some((*name).to_owned()),
            line: Some(3),
            column: Some(1),
            hint: Some(ODD.to_owned()),
        })
        .collect();
    unread.push(UnreadableFile {
        message: "x".to_owned(),
        file: None,
        line: None,
        column: None,
        hint: None,
    });
    unread
}

fn everything() -> (Vec<LintedFile>, Vec<UnreadableFile>) {
    let mut linted = every_fixture();
    linted.extend(NAMES.map(odd));
    (linted, unread())
}

#[test]
fn sarif_is_valid_against_its_schema() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let schema = fs::read_to_string(folder.join("sarif-schema-2.1.0.json")).unwrap();
    // The pattern for languages has an extra bracket, which JSON Schema's regular expressions do not allow.
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$");
    let schema: Json = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let (linted, unread) = everything();
    let results: usize = linted
        .iter()
        .map(|one| one.report.findings.len() + one.report.suppressed.len())
        .sum();
    let log: Json = serde_json::from_str(&output(&linted, &unread, sarif::render)).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), results);
    let nothing: Json = serde_json::from_str(&output(&[], &[], sarif::render)).unwrap();
    assert!(validator.is_valid(&nothing));
}

#[test]
fn sarif_names_files_with_uris() {
    let uri = |name: &str| {
        let log: Json = serde_json::from_str(&output(&[odd(name)], &[], sarif::render)).unwrap();
        let location = &log["runs"][0]["results"][0]["locations"][0];
        location["physicalLocation"]["artifactLocation"].to_string()
    };
    let uris: Vec<_> = NAMES.map(uri).into_iter().collect();
    insta::assert_snapshot!(uris.join("\n"), @r#"
    {"uri":"stack.yaml","uriBaseId":"%SRCROOT%"}
    {"uri":"with%20space.yaml","uriBaseId":"%SRCROOT%"}
    {"uri":"gr%C3%B6%C3%9Fe/%E6%97%A5%E6%9C%AC.yaml","uriBaseId":"%SRCROOT%"}
    {"uri":"100%25.yaml","uriBaseId":"%SRCROOT%"}
    {"uri":"C%3A%5Cstacks%5Ca.yaml","uriBaseId":"%SRCROOT%"}
    {"uri":"file:///absolute/a%23b%3Fc.yaml"}
    {"uri":"../up/a%3Ab%2Cc.yaml","uriBaseId":"%SRCROOT%"}
    {"uri":"%3Cstdin%3E","uriBaseId":"%SRCROOT%"}
    {"uri":"%01%1B%0A.yaml","uriBaseId":"%SRCROOT%"}
    "#);
}

#[test]
fn sarif_fingerprints_are_unique_in_a_file_and_stay_when_lines_move() {
    let prints = |linted: LintedFile| -> Vec<String> {
        let log: Json = serde_json::from_str(&output(&[linted], &[], sarif::render)).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().iter();
        results
            .map(|one| one["partialFingerprints"].to_string())
            .collect()
    };
    for one in every_fixture() {
        let mut before = prints(one.clone());
        // A rule that compares revisions finds nothing in a single one.
        let Some(first) = one.report.findings.first() else {
            continue;
        };
        let source = one.sources.get(first.location.span.file.unwrap()).unwrap();
        let after = prints(linted(&one.file, &format!("\n\n{}", source.text())));
        assert_eq!(before, after, "{}", one.file);
        before.sort();
        before.dedup();
        assert_eq!(before.len(), after.len(), "{}", one.file);
    }
}

#[test]
fn junit_is_well_formed_for_any_text() {
    let (linted, unread) = everything();
    let text = output(&linted, &unread, junit::render);
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    let root = document.root_element();
    let count = |tag: &str| {
        let tags = root.descendants().filter(|node| node.has_tag_name(tag));
        tags.count().to_string()
    };
    for (attribute, tag) in [
        ("tests", "testcase"),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ] {
        assert_eq!(
            root.attribute(attribute),
            Some(count(tag).as_str()),
            "{tag}"
        );
    }
    for suite in root.children().filter(|node| node.is_element()) {
        let cases = suite.children().filter(|node| node.is_element()).count();
        assert_eq!(suite.attribute("tests"), Some(cases.to_string().as_str()));
    }
    let message = root
        .descendants()
        .filter_map(|node| node.attribute("message"))
        .find(|message| message.contains("𝄞"));
    assert!(message.unwrap().contains("<b> & \"c\" 'd' ]]> :: 100%"));
}

#[test]
fn github_output_has_one_line_per_finding() {
    let (linted, unread) = everything();
    let findings: usize = linted.iter().map(|one| one.report.findings.len()).sum();
    let text = output(&linted, &unread, github::render);
    assert_eq!(text.lines().count(), findings + unread.len());
    for line in text.lines() {
        let command = line.strip_prefix("::").unwrap();
        let (properties, message) = command.split_once("::").unwrap();
        assert!(!message.is_empty() && !properties.contains('\r'), "{line}");
        let (level, properties) = properties.split_once(' ').unwrap();
        assert!(["error", "warning", "notice"].contains(&level), "{line}");
        for property in properties.split(',') {
            assert!(property.contains('='), "{property} in {line}");
        }
    }
}

#[test]
fn json_has_every_field() {
    let mut one = odd("a.yaml");
    one.report.findings.truncate(1);
    one.report.suppressed.truncate(1);
    let document: Json =
        serde_json::from_str(&output(&[one], &unread()[..1], json::render)).unwrap();
    let keys = |value: &Json| -> String {
        let keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.join(" ")
    };
    insta::assert_snapshot!(keys(&document), @"version findings suppressed errors summary");
    insta::assert_snapshot!(keys(&document["findings"][0]), @"rule name severity confidence message file line column endLine endColumn resource path related hint rows fix");
    insta::assert_snapshot!(keys(&document["findings"][0]["related"][0]), @"message file line column endLine endColumn resource path");
    insta::assert_snapshot!(keys(&document["suppressed"][0]), @"reason rule name severity confidence message file line column endLine endColumn resource path related hint rows fix");
    insta::assert_snapshot!(keys(&document["errors"][0]), @"message file line column hint");
    insta::assert_snapshot!(keys(&document["summary"]), @"templates apis errors warnings notes lesser suppressed baselined fixed unread");
    let location = &document["findings"][0];
    assert_eq!(
        [
            &location["line"],
            &location["column"],
            &location["endLine"],
            &location["endColumn"]
        ],
        [2, 3, 2, 11]
    );
}
