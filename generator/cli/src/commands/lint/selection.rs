//! Selection of rules and findings.

use clap::ValueEnum;
use stackgen_lint::{Finding, Rule, Severity, registry};

use crate::error::CliError;
use crate::rules::unknown_rule;

/// Flags that select rules and findings.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Rules")]
pub(super) struct RuleSelection {
    /// Rules to apply, by ID, name or prefix: SG102, SG1 (default: all)
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    select: Vec<String>,

    /// Rules to ignore
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    ignore: Vec<String>,

    /// Minimum severity to report (default: `warning`; `note` for rules that `--select` names by full ID or
    /// name)
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<MinSeverity>,
}

/// Minimum severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MinSeverity {
    /// Everything
    Note,
    /// Errors, and what works but causes trouble
    Warning,
    /// Only what does not deploy or does not work
    Error,
}

impl RuleSelection {
    /// Checks the names of rules.
    ///
    /// # Errors
    ///
    /// If a name matches no rule.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let mut words = self.select.iter().chain(&self.ignore);
        match words.find(|word| !registry::all().any(|rule| rule.is_named(word))) {
            Some(unknown) => Err(unknown_rule(unknown)),
            None => Ok(()),
        }
    }

    /// Returns true if a rule is applied.
    pub(super) fn includes(&self, rule: &Rule) -> bool {
        let matches = |words: &[String]| words.iter().any(|word| rule.is_named(word));
        (self.select.is_empty() || matches(&self.select)) && !matches(&self.ignore)
    }

    /// Returns true if a finding is severe enough to be reported.
    pub(super) fn reports(&self, finding: &Finding) -> bool {
        let minimum = match self.min_severity {
            Some(MinSeverity::Note) => Severity::Note,
            Some(MinSeverity::Warning) => Severity::Warning,
            Some(MinSeverity::Error) => Severity::Error,
            None if self.is_named_in_full(finding.rule) => Severity::Note,
            None => Severity::Warning,
        };
        finding.severity >= minimum
    }

    /// Returns true if a rule is selected in full, and not by a prefix.
    fn is_named_in_full(&self, rule: &Rule) -> bool {
        let mut words = self.select.iter();
        words.any(|word| registry::find(word).is_some_and(|named| named.id == rule.id))
    }
}
