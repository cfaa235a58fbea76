//! Suppressions of findings, in comments or in `Metadata`.

mod comment;
mod index;
mod metadata;
mod outline;

use stackgen_model::LogicalId;

use crate::{Finding, LintInput, LintReport, Location, Rule, SuppressedFinding, registry};
use index::SuppressionIndex;

/// Suppressions of a template.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    pub(crate) all: Vec<Suppression>,
    pub(crate) malformed: Vec<MalformedSuppression>,
    /// True if the template was compared with an earlier revision.
    pub(crate) compares: bool,
}

/// A suppression of one or more rules.
#[derive(Debug)]
pub(crate) struct Suppression {
    pub(crate) rules: Vec<NamedRule>,
    /// Reason in the template; empty if there is none.
    pub(crate) reason: String,
    /// Location of the suppression.
    pub(crate) location: Location,
    scope: SuppressionScope,
}

/// A rule of a suppression.
#[derive(Debug)]
pub(crate) struct NamedRule {
    pub(crate) word: String,
    /// The rule, if it exists and can be suppressed.
    pub(crate) rule: Option<&'static Rule>,
    /// True if it has suppressed a finding.
    pub(crate) is_used: bool,
}

/// An invalid suppression.
#[derive(Debug)]
pub(crate) struct MalformedSuppression {
    pub(crate) message: String,
    pub(crate) hint: &'static str,
    pub(crate) location: Location,
}

/// Scope of a suppression.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SuppressionScope {
    /// The whole template.
    Template,
    /// Findings whose location begins in this byte range.
    Bytes(u32, u32),
    /// A resource of a template that was not read from a file.
    Resource(LogicalId),
}

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
        let rule = registry::find(word).filter(|rule| rule.is_suppressible());
        let word = word.to_owned();
        let is_used = false;
        (!word.is_empty()).then_some(NamedRule {
            word,
            rule,
            is_used,
        })
    };
    words.split(',').map(|word| name(word.trim())).collect()
}
