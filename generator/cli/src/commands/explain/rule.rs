//! Rules of the linter as text and as JSON.

use serde::Serialize;
use stackgen_lint::output::page;
use stackgen_lint::registry::{self, RuleGroup};
use stackgen_lint::{Confidence, Rule, Severity};

use crate::style::{BOLD, CYAN, DIM, GREEN, RED};
use crate::text::{PAGE, wrap};

/// A rule in the output of `--json`.
#[derive(Serialize)]
pub(crate) struct RuleReport {
    id: &'static str,
    name: &'static str,
    group: &'static str,
    title: String,
    severity: Severity,
    confidence: Confidence,
    fixable: bool,
    rows: &'static [&'static str],
    doc: String,
    example: String,
    url: String,
}

/// Returns the rules in the form of `--json`, sorted by ID.
pub(crate) fn rule_reports(rules: &[&Rule]) -> Vec<RuleReport> {
    let groups = registry::groups().iter();
    let all = groups.flat_map(|group| group.rules.iter().map(move |rule| (rule, group)));
    let selected = all.filter(|(rule, _)| rules.iter().any(|selected| selected.id == rule.id));
    let mut reports: Vec<_> = selected
        .map(|(rule, group)| RuleReport::new(rule, group))
        .collect();
    reports.sort_by_key(|rule| rule.id);
    reports
}

impl RuleReport {
    fn new(rule: &'static Rule, group: &RuleGroup) -> Self {
        RuleReport {
            id: rule.id,
            name: rule.name,
            group: group.name,
            title: rule.title(),
            severity: rule.severity,
            confidence: rule.confidence,
            fixable: rule.fixable,
            rows: rule.rows,
            doc: page::text(rule),
            example: rule.example_hunks(),
            url: page::url(rule),
        }
    }
}

/// Lists rules by group, one per line.
pub(crate) fn rule_list(rules: &[&Rule]) -> String {
    let mut text = String::new();
    for group in registry::groups() {
        let rules = rules
            .iter()
            .filter(|rule| group.rules.iter().any(|other| other.id == rule.id));
        let mut rules = rules.peekable();
        if rules.peek().is_none() {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{BOLD}{}{BOLD:#}\n", group.title));
        for rule in rules {
            let fix = if rule.fixable { "fix" } else { "" };
            let severity = match rule.severity {
                Severity::Error => format!("{RED}error{RED:#}  "),
                Severity::Warning => "warning".to_owned(),
                Severity::Note => format!("{DIM}note{DIM:#}   "),
            };
            let (id, name) = (rule.id, rule.name);
            text.push_str(&format!("{id}  {severity}  {fix:3}  {name}\n"));
        }
    }
    text
}

/// Formats the page of a rule.
pub(crate) fn rule_page(rule: &Rule) -> String {
    let mut text = format!("{BOLD}{} {}{BOLD:#}\n", rule.id, rule.name);
    text.push_str(&format!("{DIM}{}{DIM:#}\n\n", page::facts(rule)));
    text.push_str(&markdown(&page::text(rule)));
    text.push_str(&format!("\n{BOLD}Example{BOLD:#}\n\n"));
    for line in rule.example_hunks().lines() {
        text.push_str(&match line.as_bytes().first() {
            Some(b'+') => format!("{GREEN}{line}{GREEN:#}\n"),
            Some(b'-') => format!("{RED}{line}{RED:#}\n"),
            _ => format!("{line}\n"),
        });
    }
    if !rule.rows.is_empty() {
        let noun = if rule.rows.len() == 1 { "row" } else { "rows" };
        let rows = rule.rows.join(", ");
        text.push_str(&format!("\nAPI Gateway reference: {noun} {rows}\n"));
    }
    text.push_str(&format!("{CYAN}{}{CYAN:#}\n", page::url(rule)));
    text
}

/// Formats Markdown: headings are bold and paragraphs are wrapped; lists, tables and code stay as they are.
fn markdown(page: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for block in page.split("\n\n") {
        let begins_code = block.starts_with("```");
        let fences = block.lines().filter(|line| line.starts_with("```")).count();
        let is_plain = !is_code && !begins_code && !block.starts_with(['|', '-', '*', ' ', '1']);
        match block.strip_prefix("## ") {
            Some(heading) if !is_code => text.push_str(&format!("{BOLD}{heading}{BOLD:#}\n")),
            _ if is_plain => text.push_str(&wrap("", "", block, PAGE)),
            _ => text.push_str(&format!("{block}\n")),
        }
        text.push('\n');
        is_code ^= fences % 2 == 1;
    }
    text.pop();
    text
}
