//! Findings that a template says are meant so, by comment or in `Metadata`.

mod comment;
mod index;
mod metadata;
mod outline;

use stackgen_model::LogicalId;

use crate::{Finding, LintInput, LintReport, Location, Rule, SuppressedFinding, registry};
use index::SuppressionIndex;

/// What a template says to the linter.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    pub(crate) all: Vec<Suppression>,
    pub(crate) malformed: Vec<MalformedSuppression>,
    /// True if the template was compared with an earlier revision.
    pub(crate) compares: bool,
}

/// Rules whose findings are meant so, somewhere.
#[derive(Debug)]
pub(crate) struct Suppression {
    pub(crate) rules: Vec<NamedRule>,
    /// Why; empty when it does not say.
    pub(crate) reason: String,
    /// Where the suppression itself stands.
    pub(crate) location: Location,
    scope: SuppressionScope,
}

/// A rule as a suppression names it.
#[derive(Debug)]
pub(crate) struct NamedRule {
    pub(crate) word: String,
    /// The rule, if there is one of that id or name and its findings can be suppressed.
    pub(crate) rule: Option<&'static Rule>,
    /// True when it has suppressed something.
    pub(crate) is_used: bool,
}

/// What was meant to be a suppression, and is none.
#[derive(Debug)]
pub(crate) struct MalformedSuppression {
    pub(crate) message: String,
    pub(crate) hint: &'static str,
    pub(crate) location: Location,
}

/// What a suppression covers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SuppressionScope {
    /// The whole template.
    Template,
    /// Findings whose place begins within these bytes.
    Bytes(u32, u32),
    /// A resource of a template that was not read from a file.
    Resource(LogicalId),
}

/// Takes out the findings that the template suppresses. What is wrong with its suppressions is for rules to say.
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

/// The rules that words between commas name; `None` when one of them is empty.
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
