//! Finds the scalars of a text, and the entries that begin on its lines.

use std::collections::HashMap;

use stackgen_cfn::{Entry, Node, Span, Value};

use crate::lines;

/// Outline of a document for finding comments.
#[derive(Default)]
pub(super) struct Outline {
    /// Start and end of each scalar, in order.
    scalars: Vec<(u32, u32)>,
    /// End of the entry or element that begins on a line.
    ends: HashMap<u32, u32>,
}

impl Outline {
    pub(super) fn new(text: &str, root: &Node) -> Self {
        let mut outline = Outline::default();
        outline.walk(text, root);
        outline.scalars.sort_unstable();
        outline
    }

    /// Returns true if a byte is in a scalar, where `#` does not begin a comment.
    pub(super) fn is_in_scalar(&self, at: usize) -> bool {
        let after = self
            .scalars
            .partition_point(|&(start, _)| start as usize <= at);
        let before = self.scalars[..after].last();
        before.is_some_and(|&(_, end)| at < end as usize)
    }

    /// Returns the end of the entry or element that begins on a line.
    pub(super) fn end(&self, line: u32) -> Option<u32> {
        self.ends.get(&line).copied()
    }

    fn walk(&mut self, text: &str, node: &Node) {
        match &node.value {
            Value::Map(map) => {
                for (_, Entry { key_span, node }) in map.entries() {
                    self.scalars.push((key_span.start, key_span.end));
                    self.begin(*key_span, node.span.end);
                    self.walk(text, node);
                }
            }
            Value::List(items) => {
                for item in items {
                    self.begin(item.span, item.span.end);
                    self.walk(text, item);
                }
            }
            Value::Call(call) => self.walk(text, &call.argument),
            _ => self.scalar(text, node.span),
        }
    }

    fn begin(&mut self, at: Span, end: u32) {
        let known = self.ends.entry(at.line).or_default();
        *known = end.max(at.end).max(*known);
    }

    /// Adds the range of a scalar. A block scalar begins after the line of its `|`, which may have a comment; a tagged
    /// scalar begins after its tag.
    fn scalar(&mut self, text: &str, span: Span) {
        let content = lines::content(text, span.start as usize);
        let start = match text[content..].starts_with(['|', '>']) {
            true => lines::end(text, content),
            false => content,
        };
        self.scalars.push((start as u32, span.end));
    }
}
