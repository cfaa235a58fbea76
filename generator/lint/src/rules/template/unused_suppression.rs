use crate::rule::rule;
use crate::suppress::{NamedRule, Suppression, Suppressions};
use crate::{Finding, Rule};

rule! {
    /// A suppression suppresses nothing.
    ///
    /// ## Why it hurts
    ///
    /// What it was written for has been mended or has moved, or it stands at the wrong place and the finding is told all the
    /// same. Left behind, it hides the next mistake of that kind. One inside another that covers the same is the one that
    /// counts; the outer is unused when it covers nothing else.
    ///
    /// Rules that compare the template with its earlier revision find nothing without `--previous`, and suppressions of those
    /// are judged only with it; those of rules that then leave a mistake to them, only without.
    ///
    /// ## How to fix it
    ///
    /// Remove it. Or move it: at the end of a line it covers what is found on that line, alone on its line what is found in
    /// the entry below, and in `Metadata` what is found in that resource.
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

/// What these find, a rule that compares revisions finds more exactly.
const YIELDING: [&str; 3] = [
    "authorization-type-left-out",
    "authorizer-never-attached",
    "constant-deployment-id",
];

fn check_suppression(compares: bool, suppression: &Suppression) -> Vec<Finding> {
    let is_judged = |rule: &Rule| match compares {
        false => !rule.compares,
        true => !YIELDING.contains(&rule.name),
    };
    let is_unused = |named: &&NamedRule| !named.is_used && named.rule.is_some_and(is_judged);
    let finding = |named: &NamedRule| {
        let message = format!("nothing is found here that `{}` could suppress", named.word);
        Finding::new(&RULE, suppression.location.clone(), message)
            .hint("remove it, or put it on the line of the finding or above its entry")
    };
    let unused = suppression.rules.iter().filter(is_unused);
    unused.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry;

    #[test]
    fn the_rules_that_yield_are_rules() {
        assert!(
            YIELDING
                .into_iter()
                .all(|name| registry::find(name).is_some())
        );
    }
}
