use crate::rule::rule;
use crate::suppress::{NamedRule, Suppression, Suppressions};
use crate::{Finding, registry};

rule! {
    /// A suppression names a rule that does not exist or cannot be suppressed.
    ///
    /// ## Why it hurts
    ///
    /// It suppresses nothing: its finding is still reported. A suppression names single rules by ID or name; `SG1` for
    /// a whole group only works with `--ignore` on the command line. The rules about suppressions, such as this one,
    /// cannot be suppressed in the template.
    ///
    /// ## How to fix it
    ///
    /// Write the ID next to the finding, or the rule's name.
    id: "SG004",
    name: "suppression-of-unknown-rule",
    severity: Warning,
    confidence: High,
    rows: [],
    fixable: false,
    example: "template/suppression_of_unknown_rule.diff",
    checks: suppressions,
}

fn check(suppressions: &Suppressions) -> Vec<Finding> {
    let all = suppressions.all.iter();
    all.flat_map(check_suppression).collect()
}

fn check_suppression(suppression: &Suppression) -> impl Iterator<Item = Finding> {
    let unknown = suppression
        .rules
        .iter()
        .filter(|named| named.rule.is_none());
    unknown.map(|named| finding(suppression, named))
}

fn finding(suppression: &Suppression, named: &NamedRule) -> Finding {
    let word = &named.word;
    let is_group = || registry::all().any(|rule| rule.is_named(word));
    let message = match registry::find(word) {
        Some(rule) => format!(
            "`{word}` cannot be suppressed: {} checks suppressions",
            rule.id
        ),
        None if is_group() => {
            format!("`{word}` is a group of rules, but a suppression must name single rules")
        }
        None => format!("there is no rule `{word}`"),
    };
    Finding::new(&RULE, suppression.location.clone(), message)
        .hint("write the ID or the name next to the finding")
}
