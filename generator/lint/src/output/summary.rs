//! Counts of a run.

use std::fmt;

use serde::Serialize;

use super::LintedFile;
use crate::Severity;

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Checked templates.
    pub templates: usize,
    /// WebSocket APIs in them.
    pub apis: usize,
    /// Reported errors.
    pub errors: usize,
    /// Reported warnings.
    pub warnings: usize,
    /// Reported notes.
    pub notes: usize,
    /// Findings below the minimum severity.
    pub lesser: usize,
    /// Suppressed findings.
    pub suppressed: usize,
    /// Findings in the baseline.
    pub baselined: usize,
    /// Fixed findings.
    pub fixed: usize,
    /// Files that could not be checked.
    pub unread: usize,
}

impl Summary {
    /// Counts the findings to report.
    pub fn of(linted: &[LintedFile]) -> Self {
        Summary::default().with(linted)
    }

    /// Adds the findings to report to other counts.
    #[must_use]
    pub fn with(self, linted: &[LintedFile]) -> Self {
        let count = |severity| {
            let findings = linted.iter().flat_map(|one| &one.report.findings);
            findings
                .filter(|finding| finding.severity == severity)
                .count()
        };
        Summary {
            templates: linted.len(),
            apis: linted.iter().map(|one| one.report.apis).sum(),
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
            suppressed: linted.iter().map(|one| one.report.suppressed.len()).sum(),
            ..self
        }
    }

    /// Returns the number of reported findings.
    pub fn reported(&self) -> usize {
        self.errors + self.warnings + self.notes
    }
}

/// Formats the counts: `3 templates, 1 WebSocket API: 2 errors, 1 warning; 1 suppressed`.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unread = match self.unread {
            0 => String::new(),
            count => format!("; {} cannot be read", many(count, "file")),
        };
        let templates = many(self.templates, "template");
        match (self.templates, self.apis + self.reported()) {
            (0, _) if self.unread == 0 => return f.write_str("no template: nothing to check"),
            (0, _) => return f.write_str(&unread["; ".len()..]),
            (_, 0) => {
                return write!(
                    f,
                    "no WebSocket API in {templates}: nothing to check{unread}"
                );
            }
            _ => {}
        }
        let apis = many(self.apis, "WebSocket API");
        write!(f, "{templates}, {apis}: ")?;
        let found = [
            (self.errors, "error"),
            (self.warnings, "warning"),
            (self.notes, "note"),
        ];
        let found: Vec<_> = found
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, noun)| many(*count, noun))
            .collect();
        match found.is_empty() {
            true => f.write_str("no findings")?,
            false => f.write_str(&found.join(", "))?,
        }
        let rest = [
            (self.fixed, "fixed"),
            (self.suppressed, "suppressed"),
            (self.baselined, "in the baseline"),
        ];
        for (count, what) in rest.iter().filter(|(count, _)| *count > 0) {
            write!(f, "; {count} {what}")?;
        }
        if self.lesser > 0 {
            write!(f, "; {} more with `--min-severity note`", self.lesser)?;
        }
        f.write_str(&unread)
    }
}

fn many(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
