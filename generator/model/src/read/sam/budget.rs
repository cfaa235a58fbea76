//! Budget for copies. Globals, scopes and names of stages stand once in a template, and SAM copies them everywhere.

use stackgen_cfn::{Intrinsic, IntrinsicCall, Map, Node, Value};

/// Approximate limit in bytes for all copies.
const MAX_COPIED: usize = 16 << 20;

/// Remaining budget for copies.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new() -> Self {
        Budget(MAX_COPIED)
    }

    /// True once a copy exceeded the budget. After that nothing is copied.
    pub(super) fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Deducts a copy from the budget. Returns false if it exceeds the budget.
    pub(super) fn pays_for(&mut self, node: &Node) -> bool {
        if !self.is_spent() {
            self.0 = self.0.saturating_sub(weight(node));
        }
        !self.is_spent()
    }

    /// Returns a copy, or an unknown macro result beyond the budget.
    pub(super) fn copy(&mut self, node: &Node) -> Node {
        match self.pays_for(node) {
            true => node.clone(),
            false => IntrinsicCall::new(Intrinsic::Transform, Node::default()).into(),
        }
    }
}

fn weight(node: &Node) -> usize {
    const EACH: usize = 64;
    let entry = |(key, node): (&str, &Node)| key.len() + weight(node);
    let inside: usize = match &node.value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().map(weight).sum(),
        Value::Map(map) => Map::iter(map).map(entry).sum(),
        Value::Call(call) => weight(&call.argument),
        _ => 0,
    };
    EACH + inside
}
