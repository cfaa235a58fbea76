//! What a rule is.

use crate::context::RuleContext;
use crate::suppress::Suppressions;
use crate::{Confidence, Finding, Severity};

/// One kind of mistake. Every rule is one file under `rules/`, and its doc comment is its page.
#[derive(Debug)]
pub struct Rule {
    /// Stable for ever: `SG102`. Hundreds are groups.
    pub id: &'static str,
    /// After the bad pattern: `connect-open-beside-authorizer`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How sure its findings are, unless one says that it is less sure.
    pub confidence: Confidence,
    /// The rows of the API Gateway reference that it rests on.
    pub rows: &'static [&'static str],
    /// True when some of its findings can be fixed by `--fix`.
    pub fixable: bool,
    /// True when it compares the template with its earlier revision, and has nothing to say without one.
    pub compares: bool,
    /// What is wrong, why it hurts and how to fix it, as Markdown.
    pub doc: &'static str,
    /// A template with the mistake, as a difference: lines that begin with `-` are the mistake, `+` the fix.
    pub example: &'static str,
    pub(crate) check: RuleCheck,
}

/// The function that finds a rule's mistakes.
#[derive(Debug)]
pub(crate) enum RuleCheck {
    /// Checks the template.
    Template(fn(&RuleContext<'_>) -> Vec<Finding>),
    /// Checks the template's suppressions, after they were applied to the findings of the other rules.
    Suppressions(fn(&Suppressions) -> Vec<Finding>),
}

impl Rule {
    /// The first sentence of its page, in one line and without its full stop.
    pub fn title(&self) -> String {
        let paragraph = self.doc.trim().split("\n\n").next().unwrap_or_default();
        let lines: Vec<_> = paragraph.lines().map(str::trim).collect();
        lines.join(" ").trim_end_matches('.').to_owned()
    }

    /// Whether a word of a command line or a suppression names it: by id, by name, or by the beginning of ids
    /// (`SG1` is all of the first hundred).
    pub fn is_named(&self, word: &str) -> bool {
        let upper = word.to_ascii_uppercase();
        let is_id = upper.len() >= 3 && upper.starts_with("SG") && self.id.starts_with(&upper);
        is_id || self.name == word
    }

    /// Whether a template can suppress its findings. Those of rules about suppressions it cannot: they would need judging
    /// again.
    pub fn is_suppressible(&self) -> bool {
        matches!(self.check, RuleCheck::Template(_))
    }

    /// The changed lines of the example with three lines around them.
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

/// Makes `RULE` of a doc comment and what the rule says of itself. The doc comment is the rule's page: what is wrong in
/// one sentence, then `## Why it hurts` and `## How to fix it`. `example` is a file under `fixtures/`. A rule that needs the
/// template's earlier revision says `compares: true` at the end.
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
