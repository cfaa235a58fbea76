use crate::Finding;
use crate::rule::rule;
use crate::suppressions::{NamedRule, Suppression, SuppressionTarget, Suppressions};

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
    /// Write a rule's ID or name, as shown with its finding.
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
    let rules = suppression.rules.iter();
    rules.filter_map(|named| finding(suppression, named))
}

fn finding(suppression: &Suppression, named: &NamedRule) -> Option<Finding> {
    let word = &named.word;
    let message = match named.target {
        SuppressionTarget::Rule(_) => return None,
        SuppressionTarget::Unsuppressible(rule) => format!(
            "`{word}` cannot be suppressed: {} checks suppressions",
            rule.id
        ),
        SuppressionTarget::Group => {
            format!("`{word}` is a group of rules, but a suppression must name single rules")
        }
        SuppressionTarget::Unknown => format!("there is no rule `{word}`"),
    };
    let finding = Finding::new(&RULE, suppression.location.clone(), message);
    Some(finding.hint("write a rule's ID or name, as shown with its finding"))
}
