//! What can be read of a file that holds errors, so that what else is wrong is told in the same run.

use std::collections::BTreeSet;

use stackgen_cfn::{Entry, Map, Node, Span, Value};

/// The document without what is damaged. `incomplete` gets the places of everything that lost a part: what is said
/// of them afterwards may only be for want of that part.
pub(crate) fn readable(
    document: &Node,
    damaged: &BTreeSet<Span>,
    incomplete: &mut BTreeSet<Span>,
) -> Node {
    let mut document = prune(document, damaged, incomplete);
    name(&mut document);
    for api in ["websocket", "http"] {
        if let Some(api) = document.as_map_mut().and_then(|map| map.get_mut(api)) {
            name(api);
        }
    }
    document
}

/// A name where it is missing or damaged: nothing depends on which.
fn name(node: &mut Node) {
    if let Some(map) = node.as_map_mut().filter(|map| map.get("name").is_none()) {
        map.insert("name", "name");
    }
}

fn prune(node: &Node, damaged: &BTreeSet<Span>, incomplete: &mut BTreeSet<Span>) -> Node {
    let value = match &node.value {
        Value::Map(map) => {
            let mut kept = Map::new();
            for (key, entry) in map.entries() {
                if damaged.contains(&entry.key_span) || damaged.contains(&entry.node.span) {
                    incomplete.insert(node.span);
                    continue;
                }
                let child = prune(&entry.node, damaged, incomplete);
                if incomplete.contains(&entry.node.span) {
                    incomplete.extend([node.span, entry.key_span]);
                }
                kept.insert_entry(
                    key,
                    Entry {
                        key_span: entry.key_span,
                        node: child,
                    },
                );
            }
            Value::Map(kept)
        }
        Value::List(items) => {
            let whole = items.iter().filter(|item| !damaged.contains(&item.span));
            let kept: Vec<_> = whole.map(|item| prune(item, damaged, incomplete)).collect();
            if kept.len() < items.len() || items.iter().any(|item| incomplete.contains(&item.span))
            {
                incomplete.insert(node.span);
            }
            Value::List(kept)
        }
        other => other.clone(),
    };
    Node {
        value,
        span: node.span,
    }
}
