use crate::rule::rule;
use crate::suppressions::{NamedRule, Suppression, Suppressions};
use crate::{Finding, Rule};

rule! {
    /// A suppression suppresses nothing.
    ///
    /// ## Why it hurts
    ///
    /// Its finding was fixed or moved, or the suppression is in the wrong place and the finding is still reported. An
    /// unused suppression hides the next mistake of its kind. If two suppressions cover a finding, the inner one
    /// counts; the outer one is unused if it covers nothing else.
    ///
    /// Rules that compare the template with its earlier revision find nothing without `--previous`, so suppressions of
    /// these are only checked with it. Suppressions of rules that then leave a mistake to them are only checked without
    /// it.
    ///
    /// ## How to fix it
    ///
    /// Remove it. Or move it: at the end of a line it covers findings on that line, on its own line findings in the
    /// entry below, and in `Metadata` findings in that resource.
    id: "SG003",
    name: "unused-suppression",
    severity: Warning,
    confidence: High,
    rows: [],
    fixable: false,
    example: "template/unused_suppression.diff",
    checks: suppressions,
}

fn check(suppressions: &Suppressions) -> Vec<Finding> {
    let all = suppressions.all.iter();
    all.flat_map(|suppression| check_suppression(suppressions.compares, suppression))
        .collect()
}

/// Rules that leave a mistake to a rule that compares revisions.
const DEFERRING: [&str; 3] = [
    "authorization-type-left-out",
    "authorizer-never-attached",
    "constant-deployment-id",
];

fn check_suppression(compares: bool, suppression: &Suppression) -> Vec<Finding> {
    let is_checked = |rule: &Rule| match compares {
        false => !rule.compares,
        true => !DEFERRING.contains(&rule.name),
    };
    let is_unused = |named: &&NamedRule| !named.is_used && named.rule().is_some_and(is_checked);
    let finding = |named: &NamedRule| {
        let message = format!("there is no finding here that `{}` suppresses", named.word);
        Finding::new(&RULE, suppression.location.clone(), message)
            .hint("remove it, or move it to the finding's line or above its entry")
    };
    let unused = suppression.rules.iter().filter(is_unused);
    unused.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn rules_that_leave_mistakes_to_others_exist() {
        assert!(
            DEFERRING
                .into_iter()
                .all(|name| registry::find(name).is_some())
        );
    }
}
