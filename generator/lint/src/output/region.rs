//! Start and end of a location for machines.

use serde::Serialize;
use stackgen_cfn::{Sources, Span};

/// A range of a file in lines and columns from 1. Columns count characters, and the end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
}

impl Region {
    /// Returns the region of a span, or `None` if it belongs to no file.
    pub fn of(span: Span, sources: &Sources) -> Option<Region> {
        let text = sources.get(span.file?)?.text();
        let stretch = text.get(span.start as usize..span.end as usize);
        // A mapping's span ends where the next node begins.
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
