//! Workflow commands for GitHub's runners, which become annotations.

use std::fmt::Write;

use super::{LintResults, LintedFile};
use crate::{Finding, Severity};

/// Returns one command per line, in the order of the files.
pub fn render(results: &LintResults<'_>) -> String {
    let mut text = String::new();
    for file in results.linted {
        for finding in &file.report.findings {
            text.push_str(&annotation(finding, file));
        }
    }
    for unread in results.unread {
        let mut at = String::new();
        if let Some(file) = &unread.file {
            let _ = write!(at, "file={},", property(file));
        }
        if let Some(line) = unread.line {
            let _ = write!(at, "line={line},");
        }
        let message = with_hint(&unread.message, unread.hint.as_deref());
        let _ = writeln!(text, "::error {at}title=not checked::{}", data(&message));
    }
    text
}

fn annotation(finding: &Finding, file: &LintedFile) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut at = format!("file={}", property(&file.file));
    if let Some(region) = file.region(finding) {
        let _ = write!(at, ",line={},endLine={}", region.line, region.end_line);
        // Only annotations on one line have columns.
        if region.line == region.end_line {
            let _ = write!(at, ",col={},endColumn={}", region.column, region.end_column);
        }
    }
    let title = format!("{} {}", finding.rule.id, finding.rule.name);
    let message = with_hint(&finding.message, finding.hint.as_deref());
    format!(
        "::{command} {at},title={}::{}\n",
        property(&title),
        data(&message)
    )
}

fn with_hint(message: &str, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{message}\n{hint}"),
        None => message.to_owned(),
    }
}

/// Escapes text for the runner.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes a value before the `::`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_end_a_value_are_escaped() {
        assert_eq!(data("50%: a,b\r\n"), "50%25: a,b%0D%0A");
        assert_eq!(property("C:\\a,b%.yaml"), "C%3A\\a%2Cb%25.yaml");
    }
}
