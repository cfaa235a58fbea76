//! Spans by path: locations of keys and values in a merged document.

use stackgen_cfn::{Entry, Map, Node, Span};

/// Spans of a merged document by path, for errors.
pub(crate) struct DocumentSpans<'a>(pub(crate) &'a Node);

impl DocumentSpans<'_> {
    /// Returns the span of the value at a path, or of the innermost value on it that exists.
    pub(crate) fn value(&self, path: &[&str]) -> Span {
        self.entry(path)
            .map_or(self.0.span, |entry| entry.node.span)
    }

    /// Returns the span of the key at a path, or of the innermost key on it that exists.
    pub(crate) fn key(&self, path: &[&str]) -> Span {
        self.entry(path).map_or(self.0.span, |entry| entry.key_span)
    }

    /// Returns the span of an element of the list at a path, or of the list.
    pub(crate) fn item(&self, path: &[&str], index: usize) -> Span {
        let item = self
            .entry(path)
            .and_then(|entry| entry.node.as_list()?.get(index));
        item.map_or_else(|| self.value(path), |item| item.span)
    }

    fn entry(&self, path: &[&str]) -> Option<&Entry> {
        let mut map: Option<&Map> = self.0.as_map();
        let mut found = None;
        for key in path {
            let Some(entry) = map.and_then(|map| map.entry(key)) else {
                break;
            };
            found = Some(entry);
            map = entry.node.as_map();
        }
        found
    }
}
