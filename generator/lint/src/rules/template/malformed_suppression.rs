use crate::Finding;
use crate::rule::rule;
use crate::suppressions::{MalformedSuppression, Suppressions};

rule! {
    /// A suppression has an invalid syntax.
    ///
    /// ## Why it hurts
    ///
    /// It suppresses nothing: its finding is still reported. The linter reads every comment that begins with
    /// `stackgen:`, and `Ignore` in `Metadata` under `Stackgen`.
    ///
    /// ## How to fix it
    ///
    /// Write `# stackgen: ignore[SG102] reason` at the end of the finding's line, or on its own line above the entry
    /// that contains the finding. For the whole template write `# stackgen: ignore-file[SG102] reason` above everything
    /// else in the file. In JSON, which has no comments, write `Metadata: {Stackgen: {Ignore: [{Rule: SG102, Reason:
    /// reason}]}}` on the resource or the template. Separate several rules with commas.
    id: "SG005",
    name: "malformed-suppression",
    severity: Warning,
    confidence: High,
    rows: [],
    fixable: false,
    example: "template/malformed_suppression.diff",
    checks: suppressions,
}

fn check(suppressions: &Suppressions) -> Vec<Finding> {
    let finding = |malformed: &MalformedSuppression| {
        Finding::new(
            &RULE,
            malformed.location.clone(),
            malformed.message.as_str(),
        )
        .hint(malformed.hint)
    };
    suppressions.malformed.iter().map(finding).collect()
}
