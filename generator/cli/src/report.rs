//! Errors as text: message, location with source lines, and hint.

use annotate_snippets::renderer::DEFAULT_ERROR_STYLE as ERROR;
use annotate_snippets::renderer::DEFAULT_HELP_STYLE as HELP;
use annotate_snippets::{Level, Renderer};
use stackgen_cfn::Sources;
use stackgen_lint::output::snippet::{self, printable};
use stackgen_synth::LocatedError;

use crate::error::{CliError, CliProblem};
use crate::style::BOLD;

/// Formats all problems of an error, and their number if they are in a file.
pub(crate) fn render(error: &CliError) -> String {
    let mut text = String::new();
    for problem in &error.problems {
        text.push_str(&problem_text(problem, &error.sources));
        text.push_str(if problem.problem.span.file.is_some() {
            "\n\n"
        } else {
            "\n"
        });
    }
    text.push_str(&count(error));
    text
}

fn count(error: &CliError) -> String {
    let first = error.problems.first().map(|first| first.problem.span);
    let Some(location) = first.and_then(|span| error.sources.location(span)) else {
        return String::new();
    };
    let count = error.problems.len();
    let noun = if count == 1 { "error" } else { "errors" };
    format!("{count} {noun} in {}\n", printable(location.file))
}

fn problem_text(error: &CliProblem, sources: &Sources) -> String {
    let problem = &error.problem;
    let related = problem.related.as_ref();
    let locations: Vec<_> = std::iter::once((problem.span, None))
        .chain(related.map(|(span, label)| (*span, Some(label.as_str()))))
        .collect();
    let elements = snippet::elements(&locations, sources);
    if elements.is_empty() {
        return without_location(problem);
    }
    let mut group = Level::ERROR
        .primary_title(printable(&problem.message))
        .elements(elements);
    if let Some(row) = problem.row {
        let note = format!("row {row} of the API Gateway reference");
        group = group.element(Level::NOTE.message(note));
    }
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.message(printable(hint)));
    }
    Renderer::styled().render(&[group])
}

fn without_location(problem: &LocatedError) -> String {
    let message = printable(&problem.message);
    let mut text = format!("{ERROR}error{ERROR:#}{BOLD}: {message}{BOLD:#}");
    if let Some(hint) = &problem.hint {
        text.push_str(&format!("\n{HELP}help{HELP:#}: {}", printable(hint)));
    }
    text
}
