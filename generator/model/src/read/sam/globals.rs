//! The `Globals` section: default properties of all resources of a kind.

use stackgen_cfn::{Map, Node, Value};

use super::Expander;

impl Expander<'_> {
    /// Merges a resource's properties into the globals of its kind: maps merge, lists are concatenated, other values of
    /// the resource win.
    pub(super) fn merged(&mut self, kind: &str, properties: Option<&Node>) -> Node {
        let globals = self.template.at_path(&["Globals", kind]);
        let globals = globals.filter(|globals| self.budget.pays_for(globals));
        match (globals, properties) {
            (Some(globals), Some(own)) => merge(globals, own, 0),
            (Some(only), None) | (None, Some(only)) => only.clone(),
            (None, None) => Node::from(Map::new()),
        }
    }
}

fn merge(global: &Node, own: &Node, depth: usize) -> Node {
    match (&global.value, &own.value) {
        (Value::Map(globals), Value::Map(locals)) if depth < super::super::DEEPEST => {
            let mut merged = globals.clone();
            for (key, entry) in locals.entries() {
                let mut entry = entry.clone();
                if let Some(global) = globals.get(key) {
                    entry.node = merge(global, &entry.node, depth + 1);
                }
                merged.insert_entry(key, entry);
            }
            Node::from(merged).at(own.span)
        }
        (Value::List(globals), Value::List(locals)) => {
            let items: Vec<Node> = globals.iter().chain(locals).cloned().collect();
            Node::from(items).at(own.span)
        }
        _ => own.clone(),
    }
}
