//! Excerpts of a file with marked locations.

use annotate_snippets::{Annotation, AnnotationKind, Element, Origin, Snippet};
use stackgen_cfn::{Source, Sources, Span, terminal};

/// Maximum length of an excerpt in bytes. Longer lines are not shown, only the location.
const LONGEST_EXCERPT: usize = 4096;

/// Returns excerpts for the first location and related ones with their labels. Locations near the first share its
/// excerpt. Locations without a file are omitted; if the first has none, so is everything.
pub fn elements<'a>(
    locations: &[(Span, Option<&'a str>)],
    sources: &'a Sources,
) -> Vec<Element<'a>> {
    let mut excerpts: Vec<(&Source, Vec<Mark<'_>>)> = Vec::new();
    for (index, (span, label)) in locations.iter().enumerate() {
        let source = span.file.and_then(|id| sources.get(id));
        let kind = match index {
            0 => AnnotationKind::Primary,
            _ => AnnotationKind::Context,
        };
        let Some(source) = source else {
            if index == 0 {
                return Vec::new();
            }
            continue;
        };
        let mark = Mark::new(kind, source, *span, *label);
        let close = excerpts.iter_mut().find(|(other, marks)| {
            other.id() == source.id() && extent(marks.iter().chain([&mark])) <= LONGEST_EXCERPT
        });
        match close {
            Some((_, marks)) => marks.push(mark),
            None => excerpts.push((source, vec![mark])),
        }
    }
    excerpts
        .into_iter()
        .map(|(source, marks)| excerpt(source, marks))
        .collect()
}

/// Returns a location without its line.
pub fn location(span: Span, sources: &Sources) -> Vec<Element<'_>> {
    let source = span.file.and_then(|id| sources.get(id));
    let origin = source.map(|source| origin(source, span));
    origin.into_iter().collect()
}

fn origin<'a>(source: &Source, span: Span) -> Element<'a> {
    Origin::path(printable(source.name()))
        .line(span.line as usize)
        .char_column(span.column as usize)
        .into()
}

/// A range to underline: the first line of a span.
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
        // Longer lines are not shown, so their end does not matter.
        let near = floor(text, end.min(start + LONGEST_EXCERPT + 1));
        let first_line = text[start..near].find('\n').map_or(end, |at| start + at);
        Mark {
            kind,
            start,
            end: first_line,
            span,
            label,
        }
    }
}

/// Returns the length of an excerpt with these marks in bytes.
fn extent<'m>(marks: impl Iterator<Item = &'m Mark<'m>> + Clone) -> usize {
    let low = marks.clone().map(|mark| mark.start).min().unwrap_or(0);
    let high = marks.map(|mark| mark.end).max().unwrap_or(0);
    high - low
}

fn excerpt<'a>(source: &'a Source, marks: Vec<Mark<'a>>) -> Element<'a> {
    let text = source.text();
    let low = marks.iter().map(|mark| mark.start).min().unwrap_or(0);
    let high = marks.iter().map(|mark| mark.end).max().unwrap_or(0);
    let first = marks.iter().map(|mark| mark.span.line).min().unwrap_or(1);
    let Some((begin, end)) = lines_around(text, low, high) else {
        return origin(source, marks[0].span);
    };
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

/// Returns the range of the lines that contain a range, or `None` if they are too long to show. Searches no further
/// than that, because a template may be a single line.
fn lines_around(text: &str, low: usize, high: usize) -> Option<(usize, usize)> {
    let first = floor(text, low.saturating_sub(LONGEST_EXCERPT + 1));
    let last = floor(text, high.saturating_add(LONGEST_EXCERPT + 1));
    let begin = match text[first..low].rfind('\n') {
        Some(at) => first + at + 1,
        None if first == 0 => 0,
        None => return None,
    };
    let end = match text[high..last].find('\n') {
        Some(at) => high + at,
        None => last,
    };
    (end - begin <= LONGEST_EXCERPT).then_some((begin, end))
}

/// Returns the nearest character boundary at or before an offset.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

/// Escapes control and format characters of user text, so that a file cannot control the terminal. Line feeds and tabs
/// stay.
pub fn printable(text: &str) -> String {
    terminal::escape_lines(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_up_to_a_length() {
        assert_eq!(lines_around("a\nbcd\ne", 3, 4), Some((2, 5)));
        assert_eq!(lines_around("abc", 0, 3), Some((0, 3)));
        for (length, shown) in [(LONGEST_EXCERPT, true), (LONGEST_EXCERPT + 1, false)] {
            let line = "é".repeat(length / 2) + &"e".repeat(length % 2);
            let text = format!("a\n{line}\nb");
            for at in [2, 2 + length / 2 / 2 * 2, 2 + length] {
                let lines = shown.then_some((2, 2 + length));
                assert_eq!(lines_around(&text, at, at), lines, "{length} at {at}");
            }
        }
    }
}
