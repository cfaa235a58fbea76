//! Reads suppressions in comments and in `Metadata`, and applies them to findings.

mod comment;
mod index;
mod metadata;
mod outline;

use crate::suppressions::{
    MalformedSuppression, NamedRule, Suppression, SuppressionScope, SuppressionTarget, Suppressions,
};
use crate::{Finding, LintInput, LintReport, SuppressedFinding, registry};
use index::SuppressionIndex;

/// Removes the suppressed findings. Rules check the suppressions later.
pub(crate) fn apply(
    subject: &LintInput<'_>,
    mut findings: Vec<Finding>,
) -> (LintReport, Suppressions) {
    let mut suppressions = Suppressions {
        compares: subject.previous.is_some(),
        ..Suppressions::default()
    };
    metadata::read(subject.template, &mut suppressions);
    if let Some(source) = subject.source {
        comment::read(source, subject.template, &mut suppressions);
    }
    let mut report = LintReport::default();
    let mut cover = SuppressionIndex::new(subject.template.span.file, &suppressions);
    findings.sort_by_key(|finding| finding.location.span.start);
    for finding in findings {
        match cover.of(&finding) {
            None => report.findings.push(finding),
            Some((suppression, word)) => {
                let suppression = &mut suppressions.all[suppression];
                suppression.rules[word].is_used = true;
                let reason = suppression.reason.clone();
                report
                    .suppressed
                    .push(SuppressedFinding { finding, reason });
            }
        }
    }
    (report, suppressions)
}

/// Parses rules separated by commas. Returns `None` if one is empty.
fn named(words: &str) -> Option<Vec<NamedRule>> {
    let name = |word: &str| {
        (!word.is_empty()).then(|| NamedRule {
            word: word.to_owned(),
            target: target(word),
            is_used: false,
        })
    };
    words.split(',').map(|word| name(word.trim())).collect()
}

fn target(word: &str) -> SuppressionTarget {
    match registry::find(word) {
        Some(rule) if rule.is_suppressible() => SuppressionTarget::Rule(rule),
        Some(rule) => SuppressionTarget::Unsuppressible(rule),
        None if registry::all().any(|rule| rule.is_named(word)) => SuppressionTarget::Group,
        None => SuppressionTarget::Unknown,
    }
}
