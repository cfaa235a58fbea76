use crate::Finding;
use crate::rule::rule;
use crate::suppress::{MalformedSuppression, Suppressions};

rule! {
    /// What is meant to be a suppression cannot be read as one.
    ///
    /// ## Why it hurts
    ///
    /// It suppresses nothing: the finding that it is meant for is told all the same. Every comment that begins with
    /// `stackgen:` is for the linter, and so is `Ignore` under `Metadata` and `Stackgen`.
    ///
    /// ## How to fix it
    ///
    /// Write `# stackgen: ignore[SG102] reason` at the end of the line of the finding, or alone above the entry that it is
    /// in; `# stackgen: ignore-file[SG102] reason` above everything else in the file for the whole template. Where there are
    /// no comments, as in JSON, write `Metadata: {Stackgen: {Ignore: [{Rule: SG102, Reason: reason}]}}` on the resource or on
    /// the template. Several rules stand between commas.
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
