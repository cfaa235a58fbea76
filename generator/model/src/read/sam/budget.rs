//! How much is copied: globals, scopes and stages' names stand once in a template, and SAM puts them everywhere.

use stackgen_cfn::{Intrinsic, IntrinsicCall, Map, Node, Value};

/// How large, about and in bytes, all copies may be.
const MAX_COPIED: usize = 16 << 20;

/// What may still be copied.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new() -> Self {
        Budget(MAX_COPIED)
    }

    /// True once something could not be copied, after which nothing is.
    pub(super) fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Pays for a copy, as long as there is something left to pay with.
    pub(super) fn pays_for(&mut self, node: &Node) -> bool {
        if !self.is_spent() {
            self.0 = self.0.saturating_sub(weight(node));
        }
        !self.is_spent()
    }

    /// A copy, or a macro's unknown result.
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
