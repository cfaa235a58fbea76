//! `docs/rules/`: one page per rule, and an index.

use std::fmt::Write;
use std::fs;

use stackgen_lint::output::page;
use stackgen_lint::registry::{self, RuleGroup};
use stackgen_lint::{Rule, Severity};

use super::root;

const GENERATED: &str = "Generated from the rules by `make docs`; do not edit.";

/// Returns every page with its file name, the index first.
pub(super) fn pages() -> Vec<(String, String)> {
    let mut pages = vec![("README.md".to_owned(), index())];
    for group in registry::groups() {
        let of_group = group.rules.iter();
        pages.extend(of_group.map(|rule| (page::file_name(rule), one(rule, group))));
    }
    pages
}

fn index() -> String {
    let count = registry::all().count();
    let mut text = format!(
        "# Rules of the linter\n\n\
         {GENERATED} `stackgen explain ID` prints a page in the terminal; [the guide](../guide/lint.md) explains how to use the \
         linter.\n\n\
         There are {count} rules. An error does not deploy or does not work as intended. A warning works and causes trouble \
         later. A note is worth knowing; `--min-severity note` reports it. `--fix` can fix rules marked *fix*.\n"
    );
    for group in registry::groups()
        .iter()
        .filter(|group| !group.rules.is_empty())
    {
        let _ = write!(
            text,
            "\n## {}xx: {}\n\n| Rule | Severity | | What is wrong |\n|---|---|---|---|\n",
            group.prefix, group.title
        );
        for rule in group.rules {
            let severity = match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let fix = if rule.fixable { "fix" } else { "" };
            let title = rule.title().replace('|', "\\|");
            let (id, name, file) = (rule.id, rule.name, page::file_name(rule));
            let _ = writeln!(
                text,
                "| [{id} {name}]({file}) | {severity} | {fix} | {title} |"
            );
        }
    }
    text
}

fn one(rule: &Rule, group: &RuleGroup) -> String {
    let (id, name) = (rule.id, rule.name);
    let mut text = format!("# {id} {name}\n\n{}.", page::facts(rule));
    let rows: Vec<_> = rule.rows.iter().map(|row| link(row)).collect();
    if !rows.is_empty() {
        let _ = write!(text, " API Gateway reference: {}.", rows.join(", "));
    }
    let _ = write!(text, "\n\n{}\n", page::text(rule));
    let _ = write!(text, "\n## Example\n\n{}\n", page::example(rule));
    if let Some(printed) = printed(rule, group) {
        let _ = write!(
            text,
            "\n`stackgen lint` prints:\n\n```text\n{printed}\n```\n"
        );
    }
    let suppress = match rule.is_suppressible() {
        true => {
            "[Suppress it in the template](../guide/lint.md#suppress-a-finding), with the reason. "
        }
        false => "Findings about suppressions cannot be suppressed in the template. ",
    };
    let _ = write!(
        text,
        "\n## Suppress it\n\n\
         {suppress}`--ignore {id}` disables the rule.\n\n\
         [All rules](README.md). {GENERATED}\n"
    );
    text
}

/// Links a row of the reference to its anchor.
fn link(row: &str) -> String {
    let anchor = row.to_ascii_lowercase();
    format!("[{row}](../reference/api-gateway-websocket.md#{anchor})")
}

/// Returns the output of the rule from the snapshot of its test.
fn printed(rule: &Rule, group: &RuleGroup) -> Option<String> {
    let file = format!("{}/{}.snap", group.name, rule.name.replace('-', "_"));
    let path = root().join("generator/lint/fixtures").join(file);
    let snapshot = fs::read_to_string(path).ok()?;
    let (_, text) = snapshot.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(text.trim_end().to_owned())
}
