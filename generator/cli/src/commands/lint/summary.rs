//! What it comes to.

use stackgen_lint::Severity;
use stackgen_lint::output::Linted;

/// How many of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    templates: usize,
    apis: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    /// Findings that are less than what is asked for.
    lesser: usize,
}

impl Summary {
    pub(super) fn of(linted: &[Linted], lesser: usize) -> Self {
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
            lesser,
        }
    }

    /// `3 templates, 1 WebSocket API: 2 errors, 1 warning`.
    pub(super) fn line(&self) -> String {
        let templates = many(self.templates, "template");
        if self.apis == 0 {
            return format!("no WebSocket API in {templates}: nothing to judge");
        }
        let mut found: Vec<_> = [
            (self.errors, "error"),
            (self.warnings, "warning"),
            (self.notes, "note"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| many(*count, noun))
        .collect();
        if found.is_empty() {
            found.push("nothing found".to_owned());
        }
        if self.lesser > 0 {
            let lesser = many(self.lesser, "lesser one");
            found.push(format!("{lesser} not shown (`--min-severity note`)"));
        }
        let apis = many(self.apis, "WebSocket API");
        format!("{templates}, {apis}: {}", found.join(", "))
    }
}

fn many(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
