//! Suppressions of findings.

use stackgen_model::LogicalId;

use crate::{Location, Rule};

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
    pub(crate) scope: SuppressionScope,
}

/// A rule of a suppression.
#[derive(Debug)]
pub(crate) struct NamedRule {
    pub(crate) word: String,
    pub(crate) target: SuppressionTarget,
    /// True if it has suppressed a finding.
    pub(crate) is_used: bool,
}

/// The rule that a word names.
#[derive(Debug)]
pub(crate) enum SuppressionTarget {
    Rule(&'static Rule),
    /// A rule about suppressions, which cannot be suppressed.
    Unsuppressible(&'static Rule),
    /// Several rules, by the first characters of their IDs.
    Group,
    Unknown,
}

impl NamedRule {
    /// Returns the rule, if it exists and can be suppressed.
    pub(crate) fn rule(&self) -> Option<&'static Rule> {
        match self.target {
            SuppressionTarget::Rule(rule) => Some(rule),
            _ => None,
        }
    }
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
pub(crate) enum SuppressionScope {
    /// The whole template.
    Template,
    /// Findings whose location begins in this byte range.
    Bytes(u32, u32),
    /// A resource of a template that was not read from a file.
    Resource(LogicalId),
}
