use crate::rule::rule;
use crate::suppress::{NamedRule, Suppression, Suppressions};
use crate::{Finding, registry};

rule! {
    /// A suppression names a rule that there is not, or one that cannot be suppressed.
    ///
    /// ## Why it hurts
    ///
    /// It suppresses nothing: the finding that it is meant for is told all the same. A suppression names rules one by one, by
    /// id or by name; `SG1` for a whole group works on the command line, in `--ignore`, and not here. The rules about
    /// suppressions themselves, this one among them, cannot be suppressed in the template.
    ///
    /// ## How to fix it
    ///
    /// Write the id that stands beside the finding, or its rule's name.
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
            "`{word}` cannot be suppressed: {} is about suppressions",
            rule.id
        ),
        None if is_group() => {
            format!("`{word}` is a group of rules, and a suppression names rules one by one")
        }
        None => format!("`{word}` is no rule"),
    };
    Finding::new(&RULE, suppression.location.clone(), message)
        .hint("write the id or the name that stands beside the finding")
}
