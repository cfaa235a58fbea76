//! Source files and locations in them.

use std::fmt;

/// ID of a file in a [`Sources`] table. It is cheap to copy, so that every [`Span`] can contain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// Name and text of a file.
#[derive(Clone, Debug)]
pub struct Source {
    id: FileId,
    name: String,
    text: String,
}

impl Source {
    /// Returns the ID in the file's spans.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// Returns the name that the user gave: a path, or `<stdin>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Table of source files.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Creates an empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and returns it for parsing.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> &Source {
        let id = FileId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Source {
            id,
            name: name.into(),
            text: text.into(),
        });
        &self.0[self.0.len() - 1]
    }

    /// Iterates over the files, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Source> + Clone {
        self.0.iter()
    }

    /// Returns the file with an ID of this table.
    pub fn get(&self, id: FileId) -> Option<&Source> {
        self.0.get(id.0 as usize)
    }

    /// Returns the location of a span's start, or `None` for a span without a file.
    pub fn location(&self, span: Span) -> Option<SourceLocation<'_>> {
        let source = self.get(span.file?)?;
        Some(SourceLocation {
            file: source.name(),
            line: span.line,
            column: span.column,
        })
    }
}

/// Range in a source file. `Span::default()` belongs to no file: it is the span of built nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file, or `None` for a built node.
    pub file: Option<FileId>,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
    /// Line of the first character, from 1.
    pub line: u32,
    /// Column of the first character, from 1, in characters.
    pub column: u32,
}

impl Span {
    /// Returns the span from the start of this one to the end of another one in the same file.
    #[must_use]
    pub fn to(self, end: Span) -> Span {
        Span {
            end: end.end.max(self.end),
            ..self
        }
    }
}

/// Location in a file, displayed as `file:line:column`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLocation<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
}

impl fmt::Display for SourceLocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
