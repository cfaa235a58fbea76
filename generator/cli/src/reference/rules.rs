//! `docs/rules/`: a page a rule, and an index.

use std::fmt::Write;
use std::fs;

use stackgen_lint::output::page;
use stackgen_lint::registry::{self, Group};
use stackgen_lint::{Rule, Severity};

use super::root;

const GENERATED: &str = "Generated from the rules by `make docs`; do not edit.";

/// Every page by its name, the index first.
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
         {GENERATED} `stackgen rule ID` prints a page in the terminal; [the guide](../guide/lint.md) tells how to use the \
         linter.\n\n\
         There are {count} rules. An error does not deploy, or does not do what it is there for. A warning works and will \
         hurt. A note is worth knowing, and is told with `--min-severity note`. Rules marked *fix* can be mended by `--fix`.\n"
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

fn one(rule: &Rule, group: &Group) -> String {
    let (id, name) = (rule.id, rule.name);
    let mut text = format!("# {id} {name}\n\n{}.", page::facts(rule));
    let rows: Vec<_> = rule.rows.iter().map(|row| link(row)).collect();
    if !rows.is_empty() {
        let _ = write!(text, " API Gateway reference: {}.", rows.join(", "));
    }
    let _ = write!(text, "\n\n{}\n", page::text(rule));
    let _ = write!(text, "\n## Example\n\n{}\n", page::example(rule));
    if let Some(printed) = printed(rule, group) {
        let _ = write!(text, "\n`stackgen lint` says:\n\n```text\n{printed}\n```\n");
    }
    let suppress = match rule.is_suppressible() {
        true => {
            "Suppress it where it stands, with the reason: [how](../guide/lint.md#when-a-finding-is-meant-so). "
        }
        false => "It is about suppressions, and cannot be suppressed itself. ",
    };
    let _ = write!(
        text,
        "\n## When it is meant so\n\n\
         {suppress}`--ignore {id}` leaves the rule out altogether.\n\n\
         [All rules](README.md). {GENERATED}\n"
    );
    text
}

/// A row of the reference, which has an anchor for each.
fn link(row: &str) -> String {
    let anchor = row.to_ascii_lowercase();
    format!("[{row}](../reference/api-gateway-websocket.md#{anchor})")
}

/// What the rule's test holds that it prints.
fn printed(rule: &Rule, group: &Group) -> Option<String> {
    let file = format!("{}/{}.snap", group.name, rule.name.replace('-', "_"));
    let path = root().join("generator/lint/fixtures").join(file);
    let snapshot = fs::read_to_string(path).ok()?;
    let (_, text) = snapshot.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(text.trim_end().to_owned())
}
