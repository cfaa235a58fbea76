//! Lint results of templates that another command writes or applies.

use stackgen_cfn::{Node, Sources};
use stackgen_lint::output::{LintedFile, human};
use stackgen_lint::{Finding, LintInput, Severity, lint};

use crate::error::CliError;
use crate::style::RED;
use crate::template;
use crate::ui::Ui;

/// Lints a rendered template. Findings have their locations in the text that would be written; `None` means no finding.
pub(crate) fn lint_rendered(
    name: &str,
    template: &Node,
    text: &str,
) -> Result<Option<LintedFile>, CliError> {
    // Most templates have no finding, and then the text need not be parsed again.
    let input = LintInput {
        template,
        source: None,
        previous: None,
    };
    match lint(&input).findings.iter().any(is_reported) {
        true => lint_text(name, text).map(Some),
        false => Ok(None),
    }
}

/// Lints the text of a template.
pub(crate) fn lint_text(name: &str, text: &str) -> Result<LintedFile, CliError> {
    let mut sources = Sources::new();
    let template = template::parse(&mut sources, name.to_owned(), text.to_owned())?;
    let mut report = lint(&LintInput {
        template: &template,
        source: template.span.file.and_then(|id| sources.get(id)),
        previous: None,
    });
    report.findings.retain(is_reported);
    Ok(LintedFile {
        file: name.to_owned(),
        sources,
        report,
    })
}

/// Prints findings on stderr.
pub(crate) fn print(linted: &LintedFile, ui: &Ui) {
    ui.aside(human::render(linted).trim_end());
}

/// Prints why nothing was done, also with `--quiet`. With `--json`, the result has the findings.
pub(crate) fn print_refusal<'a>(
    results: impl IntoIterator<Item = &'a LintedFile>,
    undone: &str,
    hint: &str,
    ui: &Ui,
) {
    if ui.wants_json() {
        return;
    }
    for linted in results {
        ui.stderr(&human::render(linted));
    }
    ui.stderr(&format!("{RED}{undone}{RED:#}; {hint}\n"));
}

/// Returns true if a finding keeps a template from being written or applied.
pub(crate) fn has_errors(linted: &LintedFile) -> bool {
    let is_error = |finding: &Finding| finding.severity == Severity::Error;
    linted.report.findings.iter().any(is_error)
}

fn is_reported(finding: &Finding) -> bool {
    finding.severity >= Severity::Warning
}
