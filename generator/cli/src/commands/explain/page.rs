//! Explanations as text.

use stackgen_diagnose::doctor::{DoctorCheck, SYMPTOMS};

use super::rule::{rule_list, rule_page};
use super::topic::{Topic, TopicKind};
use crate::explanation::explanation_text;
use crate::rows::{ReferenceRow, RowFact};
use crate::style::{BOLD, CYAN, DIM};
use crate::text::{PAGE, REPORT, wrap};

/// Headings of columns that need none: the column is the behaviour itself.
const PLAIN: [&str; 3] = ["What happens", "What it holds", "Fact"];

/// Formats a topic.
pub(super) fn text(topic: &Topic) -> String {
    match topic.kind {
        TopicKind::Row => topic.rows.iter().map(|row| row_page(row)).collect(),
        TopicKind::Rows => row_list(&topic.rows),
        TopicKind::Rule => topic.rules.iter().map(|rule| rule_page(rule)).collect(),
        TopicKind::Rules => rule_list(&topic.rules),
        TopicKind::Check => topic
            .check
            .map(|check| check_page(check, &topic.rows))
            .unwrap_or_default(),
        TopicKind::CloseCode => causes(&format!("close code {}", topic.name), topic),
        TopicKind::HandshakeStatus => causes(&format!("handshake status {}", topic.name), topic),
        TopicKind::ErrorFrame => causes(&format!("error frame {:?}", topic.name), topic),
    }
}

/// Formats a check of `stackgen doctor`, and the rows on which it is based.
fn check_page(check: &DoctorCheck, rows: &[&ReferenceRow]) -> String {
    let mut text = format!("{BOLD}{} {}{BOLD:#}\n", check.id, check.title);
    text.push_str(&format!(
        "{DIM}check of `stackgen doctor`, {}{DIM:#}\n\n",
        check.severity.name()
    ));
    text.push_str(&wrap(
        "",
        "",
        &format!("Looks at {}.", check.looks_at),
        PAGE,
    ));
    let leads = SYMPTOMS
        .iter()
        .filter(|symptom| symptom.checks.contains(&check.id));
    let leads: Vec<_> = leads.map(|symptom| symptom.name).collect();
    if !leads.is_empty() {
        let line = format!("Symptoms: {}.", leads.join(", "));
        text.push_str(&wrap("", "  ", &line, PAGE));
    }
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&row_list(rows));
    }
    text
}

fn row_page(row: &ReferenceRow) -> String {
    let mut text = format!("{BOLD}{}{BOLD:#}\n", title(row));
    text.push_str(&format!("{DIM}{}{DIM:#}\n", row.section));
    for fact in &row.facts {
        text.push('\n');
        text.push_str(&wrap("", "", &fact_text(fact), PAGE));
    }
    text.push('\n');
    for (label, lines) in [("Source", &row.sources), ("Doubt", &row.doubts)] {
        if !lines.is_empty() {
            let line = format!("{label}: {}", lines.join(", "));
            text.push_str(&wrap("", "  ", &line, PAGE));
        }
    }
    text + &format!("{CYAN}{}{CYAN:#}\n", row.url)
}

fn title(row: &ReferenceRow) -> String {
    format!("{} {}", row.id, plain(&row.subject))
}

fn fact_text(fact: &RowFact) -> String {
    match PLAIN.contains(&fact.heading.as_str()) {
        true => plain(&fact.text),
        false => format!("{}: {}", fact.heading, plain(&fact.text)),
    }
}

/// Removes the marks of emphasis; code keeps its backticks.
fn plain(markdown: &str) -> String {
    markdown.replace("**", "")
}

/// Lists rows by section, one per line.
fn row_list(rows: &[&ReferenceRow]) -> String {
    let (mut text, mut section) = (String::new(), "");
    for row in rows {
        if row.section != section {
            section = &row.section;
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{BOLD}{section}{BOLD:#}\n"));
        }
        text.push_str(&format!("{:4} {}\n", row.id, plain(&row.subject)));
    }
    text
}

/// Formats the causes of a code or a text, and the rows about it.
fn causes(title: &str, topic: &Topic) -> String {
    let mut text = format!("{BOLD}{title}{BOLD:#}\n");
    let mut seen = Vec::new();
    for explanation in &topic.explanations {
        text.push_str(&explanation_text(explanation, &mut seen));
    }
    text.push_str(&format!("\n{BOLD}rows{BOLD:#}\n"));
    for row in &topic.rows {
        let facts: Vec<_> = row.facts.iter().map(fact_text).collect();
        let line = format!("{}: {}", plain(&row.subject), facts.join(" "));
        let id = format!("  {:4} ", row.id);
        text.push_str(&wrap(&id, "       ", &line, REPORT));
    }
    text
}
