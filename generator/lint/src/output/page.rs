//! A rule's page.

use std::fmt::Write;

use crate::{Confidence, Rule, Severity};

/// Where the pages are on the web.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules");

/// What the page is called under `docs/rules/`.
pub fn file_name(rule: &Rule) -> String {
    format!("{}-{}.md", rule.id, rule.name)
}

/// Where the page is on the web.
pub fn url(rule: &Rule) -> String {
    format!("{PAGES}/{}", file_name(rule))
}

/// What is wrong, why it hurts and how to fix it, as Markdown, without a heading of its own.
pub fn text(rule: &Rule) -> String {
    let lines = rule.doc.lines();
    let lines: Vec<_> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n").trim().to_owned()
}

/// The example as Markdown.
pub fn example(rule: &Rule) -> String {
    format!("```diff\n{}```", rule.example_hunks())
}

/// How bad, how sure, and whether `--fix` mends it.
pub fn facts(rule: &Rule) -> String {
    let severity = match rule.severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
        Severity::Note => "Note, reported with `--min-severity note`",
    };
    let confidence = match rule.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    let mut facts = format!("{severity}, confidence {confidence}");
    if rule.fixable {
        facts.push_str(", fixable with `--fix`");
    }
    facts
}

/// The whole page as Markdown.
pub fn markdown(rule: &Rule) -> String {
    let mut page = format!("# {} {}\n\n{}\n", rule.id, rule.name, text(rule));
    let _ = write!(page, "\n## Example\n\n{}\n", example(rule));
    let _ = write!(page, "\n{}.", facts(rule));
    match rule.rows {
        [] => {}
        rows => {
            let _ = write!(page, " API Gateway reference: {}.", rows.join(", "));
        }
    }
    page + "\n"
}
