//! Description and check of a rule.

use crate::context::RuleContext;
use crate::suppressions::Suppressions;
use crate::{Confidence, Finding, Severity};

/// One kind of mistake. Every rule is one file in `rules/`, and its doc comment is its page.
#[derive(Debug)]
pub struct Rule {
    /// Permanent ID: `SG102`. The first digit shows the group.
    pub id: &'static str,
    /// Name of the bad pattern: `connect-open-beside-authorizer`.
    pub name: &'static str,
    /// Severity of its findings.
    pub severity: Severity,
    /// Confidence in its findings, unless a finding has a lower one.
    pub confidence: Confidence,
    /// Rows of the API Gateway reference on which it is based.
    pub rows: &'static [&'static str],
    /// True if `--fix` can fix some of its findings.
    pub fixable: bool,
    /// True if it compares the template with its earlier revision, and finds nothing without one.
    pub compares: bool,
    /// Markdown text about the mistake, its effects and the fix.
    pub doc: &'static str,
    /// A template as a diff: lines that begin with `-` are the mistake, with `+` the fix.
    pub example: &'static str,
    pub(crate) check: RuleCheck,
}

/// A set of rules about one subject.
#[derive(Debug)]
pub struct RuleGroup {
    /// Name of the folder under `rules/`.
    pub name: &'static str,
    /// Heading of the group in lists of rules.
    pub title: &'static str,
    /// First characters of the rules' IDs: `SG1`. Several groups can share them.
    pub prefix: &'static str,
    /// The rules in the order of their IDs.
    pub rules: &'static [&'static Rule],
}

/// Function that finds a rule's mistakes.
#[derive(Debug)]
pub(crate) enum RuleCheck {
    /// Checks the template.
    Template(fn(&RuleContext<'_>) -> Vec<Finding>),
    /// Checks the template's suppressions, after they were applied to the findings of the other rules.
    Suppressions(fn(&Suppressions) -> Vec<Finding>),
}

impl Rule {
    /// Returns the first sentence of its page, on one line and without the full stop.
    pub fn title(&self) -> String {
        let paragraph = self.doc.trim().split("\n\n").next().unwrap_or_default();
        let lines: Vec<_> = paragraph.lines().map(str::trim).collect();
        lines.join(" ").trim_end_matches('.').to_owned()
    }

    /// Returns true if a word from the command line names the rule: by ID, by name, or by the first characters of IDs
    /// (`SG1`).
    pub fn is_named(&self, word: &str) -> bool {
        let upper = word.to_ascii_uppercase();
        let is_id = upper.len() >= 3 && upper.starts_with("SG") && self.id.starts_with(&upper);
        is_id || self.name == word
    }

    /// Returns true if a template can suppress its findings. Findings about suppressions cannot be suppressed, because
    /// they would have to be checked again.
    pub fn is_suppressible(&self) -> bool {
        matches!(self.check, RuleCheck::Template(_))
    }

    /// Returns the changed lines of the example with three lines of context.
    pub fn example_hunks(&self) -> String {
        const AROUND: usize = 3;
        let lines: Vec<_> = self.example.lines().collect();
        let changed = |index: usize| lines[index].starts_with(['-', '+']);
        let shown = |index: usize| {
            let from = index.saturating_sub(AROUND);
            let to = (index + AROUND).min(lines.len() - 1);
            (from..=to).any(changed)
        };
        let mut text = String::new();
        let mut last = None;
        for index in (0..lines.len()).filter(|&index| shown(index)) {
            if last.is_some_and(|last| last + 1 < index) {
                text.push_str("…\n");
            }
            text.push_str(lines[index].trim_end());
            text.push('\n');
            last = Some(index);
        }
        text
    }
}

/// Defines `RULE` from a doc comment and the rule's properties. The doc comment is the rule's page: the mistake in one
/// sentence, `## Why it hurts` and `## How to fix it`. `example` is a file in `fixtures/`. Two keys are optional, at
/// the end: `compares: true` for rules that compare revisions, and `checks: suppressions` for rules about suppressions.
macro_rules! rule {
    (
        $(#[doc = $doc:literal])+
        id: $id:literal,
        name: $name:literal,
        severity: $severity:ident,
        confidence: $confidence:ident,
        rows: $rows:expr,
        fixable: $fixable:literal,
        example: $example:literal,
        $(compares: $compares:literal,)?
        $(checks: $subject:ident,)?
    ) => {
        pub(crate) static RULE: crate::Rule = crate::Rule {
            id: $id,
            name: $name,
            severity: crate::Severity::$severity,
            confidence: crate::Confidence::$confidence,
            rows: &$rows,
            fixable: $fixable,
            compares: false $(|| $compares)?,
            doc: concat!($($doc, "\n"),+),
            example: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/", $example)),
            check: crate::rule::rule!(@check $($subject)?),
        };
    };
    (@check) => { crate::rule::RuleCheck::Template(check) };
    (@check suppressions) => { crate::rule::RuleCheck::Suppressions(check) };
}

pub(crate) use rule;
