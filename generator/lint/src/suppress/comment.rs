//! Suppressions in comments: `# stackgen: ignore[SG102] reason`.

use std::ops::Range;

use stackgen_cfn::{Node, Source, Span};

use super::outline::Outline;
use super::{MalformedSuppression, NamedRule, Suppression, SuppressionScope, Suppressions, named};
use crate::Location;

const MARK: &str = "stackgen:";

const SYNTAX: &str =
    "write `# stackgen: ignore[SG102] reason`, or `ignore-file[…]` at the top of the file";

/// A comment for the linter.
struct SuppressionComment<'s> {
    /// Byte range of its line.
    line: Range<usize>,
    /// Span from its `#`.
    span: Span,
    /// Text after the mark.
    text: &'s str,
    /// True if it is the only text on its line.
    is_alone: bool,
}

/// Reads the comments of a file. JSON has none.
pub(super) fn read(source: &Source, template: &Node, suppressions: &mut Suppressions) {
    let text = source.text();
    if !text.contains(MARK) {
        return;
    }
    let outline = Outline::new(text, template);
    let below = below(text);
    for comment in comments(source, &outline) {
        let location = Location::at(comment.span);
        match understood(&comment, &outline, &below, template) {
            Ok((rules, reason, scope)) => suppressions.all.push(Suppression {
                rules,
                reason,
                location,
                scope,
            }),
            Err(message) => suppressions.malformed.push(MalformedSuppression {
                message: message.to_owned(),
                hint: SYNTAX,
                location,
            }),
        }
    }
}

/// Returns the comments that begin with the mark, in order.
fn comments<'s>(source: &'s Source, outline: &Outline) -> Vec<SuppressionComment<'s>> {
    let mut comments = Vec::new();
    let mut line_start = 0;
    for (index, whole) in source.text().split_inclusive('\n').enumerate() {
        let line = whole.trim_end();
        if line.contains(MARK)
            && let Some(at) = comment_start(line, line_start, outline)
            && let Some(text) = line[at + 1..].trim_start().strip_prefix(MARK)
        {
            comments.push(SuppressionComment {
                span: Span {
                    file: Some(source.id()),
                    start: offset(line_start + at),
                    end: offset(line_start + line.len()),
                    line: offset(index + 1),
                    column: offset(line[..at].trim_start_matches('\u{feff}').chars().count() + 1),
                },
                text: text.trim(),
                is_alone: line[..at].trim_start_matches('\u{feff}').trim().is_empty(),
                line: line_start..line_start + line.len(),
            });
        }
        line_start += whole.len();
    }
    comments
}

/// Returns the offset of a line's comment.
fn comment_start(line: &str, line_start: usize, outline: &Outline) -> Option<usize> {
    let mut hashes = line.match_indices('#').map(|(at, _)| at);
    hashes.find(|&at| {
        let before = line[..at].chars().next_back();
        let is_apart = before.is_none_or(|c| matches!(c, ' ' | '\t' | '\u{feff}'));
        is_apart && !outline.is_in_scalar(line_start + at)
    })
}

type ParsedComment = (Vec<NamedRule>, String, SuppressionScope);

fn understood(
    comment: &SuppressionComment<'_>,
    outline: &Outline,
    below: &[(usize, u32)],
    template: &Node,
) -> Result<ParsedComment, &'static str> {
    let (is_file, rest) = match comment.text.strip_prefix("ignore-file") {
        Some(rest) => (true, rest),
        None => (
            false,
            comment.text.strip_prefix("ignore").unwrap_or_default(),
        ),
    };
    let brackets = rest.trim_start().strip_prefix('[');
    let Some((words, reason)) = brackets.and_then(|rest| rest.split_once(']')) else {
        return Err("the linter does not understand this comment");
    };
    let rules = named(words).ok_or("this suppression names no rule")?;
    let reason = reason.trim_start_matches([':', '-', '–', '—', ' ', '\t']);
    let scope = match (is_file, comment.is_alone) {
        (true, true) if comment.span.start <= template.span.start => SuppressionScope::Template,
        (true, _) => return Err("`ignore-file` must be above everything else in the file"),
        (false, true) => {
            // If nothing begins on the next line, the comment covers nothing.
            let (start, line) = below[comment.span.line as usize];
            SuppressionScope::Bytes(offset(start), outline.end(line).unwrap_or_default())
        }
        (false, false) => {
            SuppressionScope::Bytes(offset(comment.line.start), offset(comment.line.end))
        }
    };
    Ok((rules, reason.trim().to_owned(), scope))
}

/// Returns, for every line and for the end, the offset and number of the next line that is neither blank nor a comment.
fn below(text: &str) -> Vec<(usize, u32)> {
    let mut start = text.len();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let mut next = (start, offset(lines.len() + 1));
    let mut below = vec![next];
    for (index, line) in lines.iter().enumerate().rev() {
        start -= line.len();
        let rest = line.trim_start();
        if !rest.is_empty() && !rest.starts_with('#') {
            next = (start, offset(index + 1));
        }
        below.push(next);
    }
    below.reverse();
    below
}

/// Converts an offset. Texts have a few megabytes at most, so every offset fits.
fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
