//! Files as they were read, and places in them.

use std::fmt;

/// Names one file of a [`Sources`] table. Cheap to copy, so that every [`Span`] can hold one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// One file's name and text.
#[derive(Clone, Debug)]
pub struct Source {
    id: FileId,
    name: String,
    text: String,
}

impl Source {
    /// The id that spans of this file carry.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The name as the user gave it: a path, or `<stdin>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The files that one run has read.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and gives it back, so that it can be parsed.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> &Source {
        let id = FileId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Source {
            id,
            name: name.into(),
            text: text.into(),
        });
        &self.0[self.0.len() - 1]
    }

    /// The file of that id, if this table made it.
    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.0.get(id.0 as usize)
    }

    /// Where a span begins, in words a person reads; `None` for a span that came from no file.
    pub fn location(&self, span: Span) -> Option<SourceLocation<'_>> {
        let source = self.get(span.file?)?;
        Some(SourceLocation {
            file: source.name(),
            line: span.line,
            column: span.column,
        })
    }
}

/// A stretch of a file. `Span::default()` belongs to no file: what we built ourselves has no place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file, or `None` for a node that was built and not read.
    pub file: Option<FileId>,
    /// First byte of the text.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Line of the first character, from 1.
    pub line: u32,
    /// Column of the first character, in characters from 1.
    pub column: u32,
}

impl Span {
    /// From the start of this span to the end of another in the same file.
    #[must_use]
    pub fn to(self, end: Span) -> Span {
        Span {
            end: end.end.max(self.end),
            ..self
        }
    }
}

/// `file:line:column`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLocation<'a> {
    /// The file's name.
    pub file: &'a str,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl fmt::Display for SourceLocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
