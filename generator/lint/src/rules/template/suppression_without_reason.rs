use crate::Finding;
use crate::rule::rule;
use crate::suppress::Suppressions;

rule! {
    /// A finding is suppressed, and nobody says why.
    ///
    /// ## Why it hurts
    ///
    /// Whoever reads the template next cannot tell a decision from a mistake that was silenced, and leaves it as it is when
    /// the reason is long gone. The finding is suppressed all the same.
    ///
    /// ## How to fix it
    ///
    /// Write the reason behind the bracket, `# stackgen: ignore[SG102] attached when all clients send a token`, or as `Reason` in
    /// `Metadata`.
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
    let mute = all.filter(|suppression| suppression.reason.is_empty());
    // One that suppresses nothing should go, not get a reason.
    mute.filter_map(|suppression| {
        let used = suppression.rules.iter().filter(|named| named.is_used);
        let words: Vec<_> = used.map(|named| format!("`{}`", named.word)).collect();
        let message = format!("{} is suppressed without a reason", words.join(", "));
        let finding = Finding::new(&RULE, suppression.location.clone(), message);
        (!words.is_empty()).then(|| finding.hint("say why it is meant so"))
    })
    .collect()
}
