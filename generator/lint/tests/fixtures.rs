//! Runs every rule on its fixtures: diffs of templates in which lines that begin with `-` are the mistake and lines
//! that begin with `+` the fix. A file is named after its rule, with a name of the case after a dot.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixing;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use stackgen_cfn::Sources;
use stackgen_lint::output::{LintedFile, human};
use stackgen_lint::{Finding, LintInput, Rule, Severity, lint, registry};

/// Side of the diff.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    /// With the mistake.
    Bad,
    /// With the fix.
    Good,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn fixtures(group: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join(group)).into_iter().flatten();
    let files = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|it| it == "diff"))
        .collect();
    files.sort();
    files
}

fn one_side(difference: &str, side: Side) -> String {
    let other = if side == Side::Bad { '+' } else { '-' };
    let lines = difference.lines().filter(|line| !line.starts_with(other));
    lines
        .map(|line| format!("{}\n", line.get(1..).unwrap_or_default()))
        .collect()
}

fn linted(name: &str, text: String, previous: Option<String>) -> LintedFile {
    let mut sources = Sources::new();
    let previous = previous.map(|text| stackgen_cfn::parse(sources.add("previous", text)).unwrap());
    let source = sources.add(name, text);
    let template = stackgen_cfn::parse(source).unwrap();
    let report = lint(&LintInput {
        template: &template,
        source: Some(source),
        previous: previous.as_ref(),
    });
    LintedFile {
        file: name.to_owned(),
        report,
        sources,
    }
}

/// Returns the rule that a fixture is named after.
fn rule(file: &Path) -> &'static Rule {
    let name = file.file_name().unwrap().to_str().unwrap();
    let name = name.split('.').next().unwrap().replace('_', "-");
    registry::find(&name).unwrap_or_else(|| panic!("there is no rule {name}"))
}

fn others<'f>(findings: &'f [Finding], rule: &Rule) -> Vec<&'f Finding> {
    let is_reported =
        |finding: &&Finding| finding.severity > Severity::Note && finding.rule.id != rule.id;
    findings.iter().filter(is_reported).collect()
}

fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

fn check(group: &str) {
    let mut fixed = BTreeSet::new();
    for file in fixtures(group) {
        let (rule, difference) = (rule(&file), fs::read_to_string(&file).unwrap());
        let stem = file.file_stem().unwrap().to_str().unwrap();
        // For a rule that compares revisions there is a file with the earlier one.
        let previous = fs::read_to_string(file.with_extension("previous")).ok();
        let name = format!("{stem}.yaml");
        let bad = linted(&name, one_side(&difference, Side::Bad), previous.clone());
        let found: Vec<_> = bad
            .report
            .findings
            .iter()
            .filter(|finding| finding.rule.id == rule.id)
            .collect();
        assert!(!found.is_empty(), "{stem}: the mistake is not found");
        assert!(
            others(&bad.report.findings, rule).is_empty(),
            "{stem}: other rules report findings:\n{}",
            plain(&human::render(&bad))
        );
        let text = one_side(&difference, Side::Bad);
        if fixing::check(stem, rule, &text, previous.as_deref()) {
            fixed.insert(rule.id);
        }
        let good = linted(&name, one_side(&difference, Side::Good), previous);
        let still = good
            .report
            .findings
            .iter()
            .any(|finding| finding.rule.id == rule.id);
        assert!(
            !still && others(&good.report.findings, rule).is_empty(),
            "{stem}: the fixed side has findings:\n{}",
            plain(&human::render(&good))
        );
        let mut only = bad.clone();
        only.report
            .findings
            .retain(|finding| finding.rule.id == rule.id);
        insta::with_settings!({ snapshot_path => folder().join(group), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(stem, plain(&human::render(&only)).trim_end());
        });
    }
    let group = registry::groups().iter().find(|it| it.name == group);
    let rules = group.into_iter().flat_map(|group| group.rules);
    for rule in rules.filter(|rule| rule.fixable) {
        assert!(
            fixed.contains(rule.id),
            "no fixture of {} shows its fix",
            rule.name
        );
    }
}

macro_rules! groups {
    ($($group:ident)*) => { $(
        #[test]
        fn $group() {
            check(stringify!($group));
        }
    )* };
}

groups! { template authorizers routes integrations stages management environment tables quotas }

#[test]
fn every_rule_has_a_page_and_an_example_of_its_own() {
    for group in registry::groups() {
        for rule in group.rules {
            let Rule { id, name, .. } = rule;
            assert!(
                id.starts_with(group.prefix) && id.len() == 5,
                "{id} is not of its group"
            );
            let file = name.replace('-', "_");
            let own = folder().join(group.name).join(format!("{file}.diff"));
            assert!(own.is_file(), "{name} has no fixture");
            let headings: Vec<_> = rule
                .doc
                .lines()
                .filter(|line| line.trim().starts_with("## "))
                .map(str::trim)
                .collect();
            assert_eq!(
                headings,
                ["## Why it hurts", "## How to fix it"],
                "the page of {name}"
            );
            assert!(
                !rule.title().is_empty() && !rule.title().contains('\n'),
                "the title of {name}"
            );
            assert!(
                rule.example_hunks().contains("\n-") || rule.example_hunks().contains("\n+"),
                "the example of {name}"
            );
        }
    }
}

#[test]
fn ids_and_names_are_unique_and_ids_in_order() {
    let ids: Vec<_> = registry::all().map(|rule| rule.id).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    let mut names: Vec<_> = registry::all().map(|rule| rule.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}
