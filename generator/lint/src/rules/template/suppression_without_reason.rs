use crate::Finding;
use crate::rule::rule;
use crate::suppressions::Suppressions;

rule! {
    /// A suppression has no reason.
    ///
    /// ## Why it hurts
    ///
    /// The next reader cannot distinguish a decision from a silenced mistake, and keeps the suppression when the reason
    /// is long gone. The finding is suppressed anyway.
    ///
    /// ## How to fix it
    ///
    /// Write the reason after the bracket, `# stackgen: ignore[SG102] attached when all clients send a token`, or as
    /// `Reason` in `Metadata`.
    id: "SG002",
    name: "suppression-without-reason",
    severity: Warning,
    confidence: High,
    rows: [],
    fixable: false,
    example: "template/suppression_without_reason.diff",
    checks: suppressions,
}

fn check(suppressions: &Suppressions) -> Vec<Finding> {
    let all = suppressions.all.iter();
    let unexplained = all.filter(|suppression| suppression.reason.is_empty());
    // A suppression that suppresses nothing should be removed instead.
    unexplained
        .filter_map(|suppression| {
            let used = suppression.rules.iter().filter(|named| named.is_used);
            let words: Vec<_> = used.map(|named| format!("`{}`", named.word)).collect();
            let message = format!("{} is suppressed without a reason", words.join(", "));
            let finding = Finding::new(&RULE, suppression.location.clone(), message);
            (!words.is_empty()).then(|| finding.hint("add the reason"))
        })
        .collect()
}
