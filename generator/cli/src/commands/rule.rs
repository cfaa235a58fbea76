//! `stackgen rule`

use serde::Serialize;
use stackgen_lint::output::page;
use stackgen_lint::registry::{self, Group};
use stackgen_lint::{Confidence, Rule, Severity};

use crate::error::CliError;
use crate::outcome::Outcome;
use crate::rules::unknown_rule;
use crate::style::{BOLD, CYAN, DIM, GREEN, RED};
use crate::ui::Ui;

/// Explain a rule of the linter, or list all rules
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RuleCommand {
    /// ID (SG102), name, or prefix of IDs (SG1) (default: all rules)
    #[arg(value_name = "RULE")]
    rule: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  stackgen rule SG102
  stackgen rule SG1";

/// A rule in the result of `--json`.
#[derive(Serialize)]
struct JsonRule {
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

/// The length of a line of text.
const WIDTH: usize = 80;

impl RuleCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<Outcome, CliError> {
        let asked = |rule: &Rule| self.rule.as_ref().is_none_or(|word| rule.is_named(word));
        let rules: Vec<_> = registry::all().filter(|rule| asked(rule)).collect();
        if let (Some(word), true) = (&self.rule, rules.is_empty()) {
            return Err(unknown_rule(word));
        }
        if ui.wants_json() {
            let rules: Vec<_> = registry::groups()
                .iter()
                .flat_map(|group| group.rules.iter().map(|rule| JsonRule::new(rule, group)))
                .filter(|json| rules.iter().any(|rule| rule.id == json.id))
                .collect();
            ui.json_result(&serde_json::json!({ "rules": rules }))?;
            return Ok(Outcome::Done);
        }
        match self.rule.as_deref().and_then(registry::find) {
            Some(rule) => ui.result(&explained(rule))?,
            None => ui.result(&listed(&rules))?,
        }
        Ok(Outcome::Done)
    }
}

impl JsonRule {
    fn new(rule: &'static Rule, group: &Group) -> Self {
        JsonRule {
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

/// A line a rule under a heading a group.
fn listed(rules: &[&Rule]) -> String {
    let mut text = String::new();
    for group in registry::groups() {
        let rules = rules
            .iter()
            .filter(|rule| rule.id.starts_with(group.prefix));
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

/// The page as a terminal shows it.
fn explained(rule: &Rule) -> String {
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
        let rows = rule.rows.join(", ");
        text.push_str(&format!("\nRows of the API Gateway reference: {rows}\n"));
    }
    text.push_str(&format!("{CYAN}{}{CYAN:#}\n", page::url(rule)));
    text
}

/// Headings bold and paragraphs filled; lists, tables and code stay as they are written.
fn markdown(page: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for block in page.split("\n\n") {
        let begins_code = block.starts_with("```");
        let fences = block.lines().filter(|line| line.starts_with("```")).count();
        let is_plain = !is_code && !begins_code && !block.starts_with(['|', '-', '*', ' ', '1']);
        match block.strip_prefix("## ") {
            Some(heading) if !is_code => text.push_str(&format!("{BOLD}{heading}{BOLD:#}\n")),
            _ if is_plain => text.push_str(&filled(block)),
            _ => text.push_str(&format!("{block}\n")),
        }
        text.push('\n');
        is_code ^= fences % 2 == 1;
    }
    text.pop();
    text
}

/// The words of a paragraph in lines that are not too long.
fn filled(paragraph: &str) -> String {
    let (mut text, mut length) = (String::new(), 0);
    for word in paragraph.split_whitespace() {
        let chars = word.chars().count();
        if length > 0 && length + 1 + chars > WIDTH {
            text.push('\n');
            length = 0;
        }
        if length > 0 {
            text.push(' ');
            length += 1;
        }
        text.push_str(word);
        length += chars;
    }
    text + "\n"
}
