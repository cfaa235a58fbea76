//! Which findings are wanted.

use clap::ValueEnum;
use stackgen_lint::{Finding, Rule, Severity, registry};

use crate::error::CliError;
use crate::rules::unknown_rule;

/// What the command line says of findings.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Rules")]
pub(super) struct RuleSelection {
    /// Rules to apply, by ID, name or prefix: SG102, SG1 (default: all)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    select: Vec<String>,

    /// Rules to ignore
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,

    /// Minimum severity to report (default: warning; note for rules that `--select` names in full)
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<MinSeverity>,
}

/// A severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MinSeverity {
    /// Everything
    Note,
    /// Works, but causes trouble; and errors
    Warning,
    /// Does not deploy or does not work
    Error,
}

impl RuleSelection {
    /// # Errors
    ///
    /// If a word names no rule.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let mut words = self.select.iter().chain(&self.ignore);
        match words.find(|word| !registry::all().any(|rule| rule.is_named(word))) {
            Some(unknown) => Err(unknown_rule(unknown)),
            None => Ok(()),
        }
    }

    /// Whether a rule is judged by.
    pub(super) fn has(&self, rule: &Rule) -> bool {
        let named = |words: &[String]| words.iter().any(|word| rule.is_named(word));
        (self.select.is_empty() || named(&self.select)) && !named(&self.ignore)
    }

    /// Whether a finding of such a rule is bad enough to be told.
    pub(super) fn tells(&self, finding: &Finding) -> bool {
        let least = match self.min_severity {
            Some(MinSeverity::Note) => Severity::Note,
            Some(MinSeverity::Warning) => Severity::Warning,
            Some(MinSeverity::Error) => Severity::Error,
            None if self.is_asked_for(finding.rule) => Severity::Note,
            None => Severity::Warning,
        };
        finding.severity >= least
    }

    /// Whether a rule is named itself, and not with others of its group.
    fn is_asked_for(&self, rule: &Rule) -> bool {
        let mut words = self.select.iter();
        words.any(|word| registry::find(word).is_some_and(|named| named.id == rule.id))
    }
}
