//! The readable rest of a file with errors, so that one run reports further errors.

use std::collections::BTreeSet;

use stackgen_cfn::{Entry, Map, Node, Span, Value};

/// Returns the document without its damaged parts. Adds the spans of everything that lost a part to `incomplete`: an
/// error there may only be a result of the missing part.
pub(crate) fn readable(
    document: &Node,
    damaged: &BTreeSet<Span>,
    incomplete: &mut BTreeSet<Span>,
) -> Node {
    let mut document = prune(document, damaged, incomplete);
    fill_name(&mut document);
    for api in ["websocket", "http"] {
        if let Some(api) = document.as_map_mut().and_then(|map| map.get_mut(api)) {
            fill_name(api);
        }
    }
    document
}

/// Fills in a missing or damaged name, because no check depends on its value.
fn fill_name(node: &mut Node) {
    if let Some(map) = node.as_map_mut().filter(|map| map.get("name").is_none()) {
        map.insert("name", "name");
    }
}

fn prune(node: &Node, damaged: &BTreeSet<Span>, incomplete: &mut BTreeSet<Span>) -> Node {
    let value = match &node.value {
        Value::Map(map) => {
            let mut rest = Map::new();
            for (key, entry) in map.entries() {
                if damaged.contains(&entry.key_span) || damaged.contains(&entry.node.span) {
                    incomplete.insert(node.span);
                    continue;
                }
                let child = prune(&entry.node, damaged, incomplete);
                if incomplete.contains(&entry.node.span) {
                    incomplete.extend([node.span, entry.key_span]);
                }
                rest.insert_entry(
                    key,
                    Entry {
                        key_span: entry.key_span,
                        node: child,
                    },
                );
            }
            Value::Map(rest)
        }
        Value::List(items) => {
            let whole = items.iter().filter(|item| !damaged.contains(&item.span));
            let rest: Vec<_> = whole.map(|item| prune(item, damaged, incomplete)).collect();
            if rest.len() < items.len() || items.iter().any(|item| incomplete.contains(&item.span))
            {
                incomplete.insert(node.span);
            }
            Value::List(rest)
        }
        other => other.clone(),
    };
    Node {
        value,
        span: node.span,
    }
}
