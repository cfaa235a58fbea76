//! Problems as a person reads them: the message, the place with its lines, and what to do.

use std::io;

use annotate_snippets::renderer::DEFAULT_ERROR_STYLE as ERROR;
use annotate_snippets::renderer::DEFAULT_HELP_STYLE as HELP;
use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use stackgen_cfn::{Source, Sources, Span};
use stackgen_synth::Problem;

use crate::error::{CliError, CliProblem};
use crate::ui::BOLD;

/// Lines are shown up to this many bytes; beyond it only the place is named.
const LONGEST_EXCERPT: usize = 4096;

/// Every problem, then how many there are when they are a file's.
pub(crate) fn render(error: &CliError) -> String {
    let mut text = String::new();
    for problem in &error.problems {
        text.push_str(&one(problem, &error.sources));
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

fn one(error: &CliProblem, sources: &Sources) -> String {
    let problem = &error.problem;
    let places = places(problem.span, problem.related.as_ref(), sources);
    if places.is_empty() {
        return without_place(problem);
    }
    let mut group = Level::ERROR
        .primary_title(printable(&problem.message))
        .elements(places);
    if let Some(row) = problem.row {
        let note = format!("row {row} of the API Gateway reference");
        group = group.element(Level::NOTE.message(note));
    }
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.message(printable(hint)));
    }
    Renderer::styled().render(&[group])
}

fn without_place(problem: &Problem) -> String {
    let message = printable(&problem.message);
    let mut text = format!("{ERROR}error{ERROR:#}{BOLD}: {message}{BOLD:#}");
    if let Some(hint) = &problem.hint {
        text.push_str(&format!("\n{HELP}help{HELP:#}: {}", printable(hint)));
    }
    text
}

/// The place and its companion, in one excerpt where they are close, in two where they are not.
fn places<'a>(
    span: Span,
    related: Option<&'a (Span, String)>,
    sources: &'a Sources,
) -> Vec<Element<'a>> {
    let Some(source) = span.file.and_then(|id| sources.get(id)) else {
        return Vec::new();
    };
    let mut marks = vec![Mark::new(AnnotationKind::Primary, source, span, None)];
    if let Some((place, label)) = related
        && let Some(other) = place.file.and_then(|id| sources.get(id))
    {
        let mark = Mark::new(AnnotationKind::Context, other, *place, Some(label));
        let (low, high) = (marks[0].start.min(mark.start), marks[0].end.max(mark.end));
        if other.id() == source.id() && high - low <= LONGEST_EXCERPT {
            marks.push(mark);
        } else {
            return vec![excerpt(source, marks), excerpt(other, vec![mark])];
        }
    }
    vec![excerpt(source, marks)]
}

/// A stretch to underline: of a span that covers several lines, the first line.
struct Mark<'a> {
    kind: AnnotationKind,
    start: usize,
    end: usize,
    span: Span,
    label: Option<&'a str>,
}

impl<'a> Mark<'a> {
    fn new(kind: AnnotationKind, source: &Source, span: Span, label: Option<&'a str>) -> Self {
        let text = source.text();
        let start = floor(text, span.start as usize);
        let end = floor(text, span.end as usize).max(start);
        let first_line = text[start..end].find('\n').map_or(end, |at| start + at);
        Mark {
            kind,
            start,
            end: first_line,
            span,
            label,
        }
    }
}

fn excerpt<'a>(source: &'a Source, marks: Vec<Mark<'a>>) -> Element<'a> {
    let text = source.text();
    let low = marks.iter().map(|mark| mark.start).min().unwrap_or(0);
    let high = marks.iter().map(|mark| mark.end).max().unwrap_or(0);
    let first = marks.iter().map(|mark| mark.span.line).min().unwrap_or(1);
    let begin = text[..low].rfind('\n').map_or(0, |at| at + 1);
    let end = text[high..].find('\n').map_or(text.len(), |at| high + at);
    if end - begin > LONGEST_EXCERPT {
        let span = marks[0].span;
        return Origin::path(printable(source.name()))
            .line(span.line as usize)
            .char_column(span.column as usize)
            .into();
    }
    let annotations = marks.into_iter().map(|mark| -> Annotation<'a> {
        let label = mark.label.map(printable);
        mark.kind
            .span(mark.start - begin..mark.end - begin)
            .label(label)
    });
    Snippet::source(&text[begin..end])
        .path(printable(source.name()))
        .line_start(first as usize)
        .annotations(annotations)
        .into()
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

/// Text of the user's with control characters made visible, so that a file cannot drive the terminal.
fn printable(text: &str) -> String {
    let show = |c: char| match c {
        '\n' | '\t' => c.to_string(),
        c if c.is_control() => c.escape_default().to_string(),
        c => c.to_string(),
    };
    text.chars().map(show).collect()
}

/// Why an operation of the system failed, in words that fit into a sentence.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => "unknown error".to_owned(),
    }
}
