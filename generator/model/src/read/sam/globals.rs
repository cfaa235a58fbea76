//! The `Globals` section: properties under every resource of a kind.

use stackgen_cfn::{Node, Value};

/// A resource's properties with the globals of its kind under them: maps merge, lists follow one another, anything
/// else of the resource wins.
pub(super) fn merged(template: &Node, kind: &str, properties: Option<&Node>) -> Node {
    let globals = template.at_path(&["Globals", kind]);
    match (globals, properties) {
        (Some(globals), Some(own)) => merge(globals, own, 0),
        (Some(only), None) | (None, Some(only)) => only.clone(),
        (None, None) => Node::from(stackgen_cfn::Map::new()),
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
