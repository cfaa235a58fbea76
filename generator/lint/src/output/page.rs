//! Page of a rule.

use std::fmt::Write;

use crate::{Confidence, Rule, Severity};

/// URL of the folder with the pages.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/rules");

/// Returns the file name of the page in `docs/rules/`.
pub fn file_name(rule: &Rule) -> String {
    format!("{}-{}.md", rule.id, rule.name)
}

/// Returns the URL of the page.
pub fn url(rule: &Rule) -> String {
    format!("{PAGES}/{}", file_name(rule))
}

/// Returns the mistake, its effects and the fix as Markdown without a title.
pub fn text(rule: &Rule) -> String {
    let lines = rule.doc.lines();
    let lines: Vec<_> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n").trim().to_owned()
}

/// Returns the example as Markdown.
pub fn example(rule: &Rule) -> String {
    format!("```diff\n{}```", rule.example_hunks())
}

/// Describes severity, confidence and whether `--fix` can fix it.
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

/// Returns the whole page as Markdown.
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
