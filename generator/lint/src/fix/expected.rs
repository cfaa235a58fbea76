//! Applies edits to the nodes of a document, to verify the edited text.

use std::collections::HashMap;

use stackgen_cfn::{Entry, IntrinsicCall, Map, Node, Span, Value};

use super::Edit;
use super::document::Document;

/// Returns the document with the edits. Returns `None` if the location of an edit does not exist, or exists several
/// times because of an anchor.
pub(super) fn with(document: &Document<'_>, edits: &[&Edit]) -> Option<Node> {
    let mut meaning = EditsBySpan::default();
    for edit in edits {
        let (Edit::Replace {
            value: location, ..
        }
        | Edit::Remove { key: location }
        | Edit::Insert {
            beside: location, ..
        }
        | Edit::Append {
            beside: location, ..
        }) = edit;
        if location.file != Some(document.file) {
            return None;
        }
        match edit {
            Edit::Replace { .. } => meaning.values.entry(*location).or_default().push(edit),
            Edit::Append { .. } => meaning.items.entry(*location).or_default().push(edit),
            Edit::Insert { .. } => meaning.keys.entry(*location).or_default().push(edit),
            Edit::Remove { .. } => {
                let key = document.key(*location);
                meaning.keys.entry(key).or_default().push(edit);
            }
        }
    }
    let node = meaning.node(document.root)?;
    (meaning.met == edits.len()).then_some(node)
}

/// Edits by location.
#[derive(Default)]
struct EditsBySpan<'e> {
    values: HashMap<Span, Vec<&'e Edit>>,
    items: HashMap<Span, Vec<&'e Edit>>,
    keys: HashMap<Span, Vec<&'e Edit>>,
    met: usize,
}

impl EditsBySpan<'_> {
    fn node(&mut self, node: &Node) -> Option<Node> {
        if let Some(edits) = self.values.get(&node.span) {
            self.met += 1;
            return match edits.as_slice() {
                [Edit::Replace { with, .. }] => Some(with.clone()),
                _ => None,
            };
        }
        let value = match &node.value {
            Value::List(items) => Value::List(self.list(items)?),
            Value::Map(map) => IntrinsicCall::fold(self.map(map)?),
            Value::Call(call) => Value::Call(IntrinsicCall::new(
                call.function,
                self.node(&call.argument)?,
            )),
            value => value.clone(),
        };
        Some(Node::new(value))
    }

    fn list(&mut self, items: &[Node]) -> Option<Vec<Node>> {
        let mut done = Vec::new();
        let mut more = Vec::new();
        for item in items {
            for edit in self.items.get(&item.span).into_iter().flatten() {
                if let Edit::Append { value, .. } = edit {
                    self.met += 1;
                    more.push(value.clone());
                }
            }
            done.push(self.node(item)?);
        }
        done.append(&mut more);
        Some(done)
    }

    fn map(&mut self, map: &Map) -> Option<Map> {
        let mut done = Map::new();
        let mut more = Vec::new();
        for (key, Entry { key_span, node }) in map.entries() {
            let mut is_kept = true;
            for edit in self.keys.get(key_span).into_iter().flatten() {
                self.met += 1;
                match edit {
                    Edit::Insert { key, value, .. } => more.push((key, value)),
                    _ => is_kept = false,
                }
            }
            if is_kept {
                done.insert(key, self.node(node)?);
            }
        }
        for (key, value) in more {
            if done.insert(key.as_str(), value.clone()).is_some() {
                return None;
            }
        }
        Some(done)
    }
}
