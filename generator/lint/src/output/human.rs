//! Text for the terminal: the message, the lines of the locations, the rule and the hint.

use annotate_snippets::{Level, Renderer};

use super::LintedFile;
use super::snippet::{self, printable};
use crate::{Confidence, Finding, Severity};

/// Returns every finding of a file, with styles that the stream may strip.
pub fn render(linted: &LintedFile) -> String {
    let mut text = String::new();
    for finding in &linted.report.findings {
        text.push_str(&finding_text(finding, linted));
        text.push_str("\n\n");
    }
    text
}

fn finding_text(finding: &Finding, linted: &LintedFile) -> String {
    let rule = finding.rule;
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let hidden = finding.location.hidden;
    let related = finding.related.iter();
    let related = related.filter(|related| !hidden && !related.location.hidden);
    let marks: Vec<_> = std::iter::once((finding.location.span, None))
        .chain(related.map(|related| (related.location.span, Some(related.label.as_str()))))
        .collect();
    let mut about = format!("rule {}", rule.name);
    if finding.confidence == Confidence::Low {
        about.push_str(", low confidence");
    }
    match rule.rows {
        [] => {}
        [row] => about.push_str(&format!("; row {row} of the API Gateway reference")),
        rows => about.push_str(&format!(
            "; rows {} of the API Gateway reference",
            rows.join(", ")
        )),
    }
    let mut group = level
        .primary_title(printable(&finding.message))
        .id(rule.id)
        .elements(match hidden {
            true => snippet::location(finding.location.span, &linted.sources),
            false => snippet::elements(&marks, &linted.sources),
        })
        .element(Level::NOTE.message(about));
    if let Some(hint) = &finding.hint {
        group = group.element(Level::HELP.message(printable(hint)));
    }
    if let Some(fix) = &finding.fix {
        let fix = format!("`--fix` can do this: {}", fix.title);
        group = group.element(Level::HELP.message(printable(&fix)));
    }
    Renderer::styled().render(&[group])
}
