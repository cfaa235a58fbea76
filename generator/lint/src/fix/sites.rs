//! Finds the values and keys of a document by location.

use std::collections::HashMap;

use stackgen_cfn::{Entry, Node, Span, Value};

use crate::lines;

/// Nodes of a document by span. A repeated alias has the span of its anchor, so both are ambiguous.
#[derive(Debug, Default)]
pub(super) struct NodeSites<'t> {
    values: HashMap<Span, Option<NodeSite<'t>>>,
    keys: HashMap<Span, Option<NodeSite<'t>>>,
}

/// A node and its parent. The site of a key is that of its mapping.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeSite<'t> {
    pub(super) node: &'t Node,
    pub(super) parent: SiteParent<'t>,
    /// True if the node is within brackets.
    pub(super) is_within: bool,
    /// True if the node's content is within brackets.
    pub(super) is_flow: bool,
}

/// Parent of a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum SiteParent<'t> {
    /// A key.
    Entry { key: Span },
    /// A list, with the index of the element.
    Item { list: &'t Node, index: usize },
    /// A function, or nothing.
    None,
}

impl<'t> NodeSites<'t> {
    pub(super) fn new(text: &str, root: &'t Node) -> Self {
        let mut sites = NodeSites::default();
        sites.walk(text, root, SiteParent::None, false);
        sites
    }

    pub(super) fn value(&self, span: Span) -> Option<NodeSite<'t>> {
        self.values.get(&span).copied().flatten()
    }

    /// Returns the mapping of a key.
    pub(super) fn map_of(&self, key: Span) -> Option<NodeSite<'t>> {
        self.keys.get(&key).copied().flatten()
    }

    fn walk(&mut self, text: &str, node: &'t Node, parent: SiteParent<'t>, within: bool) {
        let begin = lines::content(text, node.span.start as usize);
        let is_flow = within || text[begin..].starts_with(['{', '[']);
        let site = NodeSite {
            node,
            parent,
            is_within: within,
            is_flow,
        };
        put(&mut self.values, node.span, site);
        match &node.value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.walk(text, item, SiteParent::Item { list: node, index }, is_flow);
                }
            }
            Value::Map(map) => {
                for (
                    _,
                    Entry {
                        key_span,
                        node: value,
                    },
                ) in map.entries()
                {
                    put(&mut self.keys, *key_span, site);
                    let key = *key_span;
                    self.walk(text, value, SiteParent::Entry { key }, is_flow);
                }
            }
            Value::Call(call) => self.walk(text, &call.argument, SiteParent::None, is_flow),
            _ => {}
        }
    }
}

fn put<'t>(table: &mut HashMap<Span, Option<NodeSite<'t>>>, span: Span, site: NodeSite<'t>) {
    table
        .entry(span)
        .and_modify(|site| *site = None)
        .or_insert(Some(site));
}
