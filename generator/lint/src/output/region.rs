//! Where a place begins and ends, for machines.

use serde::Serialize;
use stackgen_cfn::{Sources, Span};

/// A stretch of a file in lines and columns, both from 1; columns count characters, and the end is one past the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// The first line.
    pub line: u32,
    /// The first column.
    pub column: u32,
    /// The last line.
    pub end_line: u32,
    /// One past the last column.
    pub end_column: u32,
}

impl Region {
    /// The region of a span; `None` when it belongs to no file.
    pub fn of(span: Span, sources: &Sources) -> Option<Region> {
        let text = sources.get(span.file?)?.text();
        let stretch = text.get(span.start as usize..span.end as usize);
        // A mapping's span goes on to where the next thing begins.
        let stretch = stretch.unwrap_or_default().trim_end();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (breaks, last) = match stretch.rsplit_once('\n') {
            None => (0, stretch),
            Some((before, last)) => (before.matches('\n').count() + 1, last),
        };
        let before = if breaks == 0 { span.column } else { 1 };
        Some(Region {
            line: span.line,
            column: span.column,
            end_line: span.line.saturating_add(number(breaks)),
            end_column: before.saturating_add(number(last.chars().count())),
        })
    }
}
