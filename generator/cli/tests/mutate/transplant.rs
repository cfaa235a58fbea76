//! Changes that keep most of a tree valid: a key gets a value that it has in another file.

use std::collections::HashMap;
use std::sync::OnceLock;

use fastrand::Rng;
use stackgen_cfn::{Node, Value, emit};

use crate::donors::read;
use crate::origins::{Kind, origins};

/// Values of each key in all files of one kind.
type Values = HashMap<String, Vec<Node>>;

/// The number of values that are kept of a key.
const MOST: usize = 16;

/// The largest value that is kept, in nodes.
const LARGEST: usize = 40;

/// Changes up to three entries of mappings; `None` when the text is no document.
pub(crate) fn change(text: &str, kind: Kind, random: &mut Rng) -> Option<String> {
    let mut root = read(text)?;
    let values = values(kind);
    for _ in 0..=random.u8(..3) {
        let entries = count(&root);
        if entries > 0 {
            let mut left = random.usize(..entries);
            change_entry(&mut root, &mut left, values, random);
        }
    }
    Some(match random.u8(..4) {
        0 => emit::json(&root),
        _ => emit::yaml(&root),
    })
}

fn values(kind: Kind) -> &'static Values {
    static SPEC: OnceLock<Values> = OnceLock::new();
    static TEMPLATE: OnceLock<Values> = OnceLock::new();
    let cell = match kind {
        Kind::Spec => &SPEC,
        Kind::Template => &TEMPLATE,
    };
    cell.get_or_init(|| {
        let mut values = Values::new();
        for origin in origins(kind) {
            if let Some(node) = read(&origin.text) {
                collect(&node, &mut values);
            }
        }
        values
    })
}

fn collect(node: &Node, values: &mut Values) {
    for child in children(node) {
        collect(child, values);
    }
    let Value::Map(map) = &node.value else { return };
    for (key, value) in map.iter() {
        let of_key = values.entry(key.to_owned()).or_default();
        if of_key.len() < MOST && size(value) <= LARGEST && !of_key.contains(value) {
            of_key.push(value.clone());
        }
    }
}

fn children(node: &Node) -> Vec<&Node> {
    match &node.value {
        Value::List(items) => items.iter().collect(),
        Value::Map(map) => map.iter().map(|(_, value)| value).collect(),
        Value::Call(call) => vec![&call.argument],
        _ => Vec::new(),
    }
}

fn size(node: &Node) -> usize {
    1 + children(node).into_iter().map(size).sum::<usize>()
}

/// The number of entries of all mappings in a tree.
fn count(node: &Node) -> usize {
    let own = node.as_map().map_or(0, |map| map.iter().count());
    own + children(node).into_iter().map(count).sum::<usize>()
}

/// Changes the entry of this number; `left` counts down to it. Returns true once it is changed.
fn change_entry(node: &mut Node, left: &mut usize, values: &Values, random: &mut Rng) -> bool {
    match &mut node.value {
        Value::List(items) => items
            .iter_mut()
            .any(|item| change_entry(item, left, values, random)),
        Value::Call(call) => change_entry(&mut call.argument, left, values, random),
        Value::Map(map) => {
            let keys: Vec<String> = map.keys().map(str::to_owned).collect();
            for key in keys {
                if *left == 0 {
                    change_value(node, &key, values, random);
                    return true;
                }
                *left -= 1;
                let value = node.as_map_mut().and_then(|map| map.get_mut(&key));
                if value.is_some_and(|value| change_entry(value, left, values, random)) {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

/// Removes an entry, doubles it under another key, or gives it a value that the key has elsewhere.
fn change_value(node: &mut Node, key: &str, values: &Values, random: &mut Rng) {
    let Some(map) = node.as_map_mut() else { return };
    let of_key = values.get(key).map_or(&[][..], Vec::as_slice);
    match random.u8(..12) {
        0 => drop(map.remove(key)),
        1 => {
            if let Some(value) = map.get(key).cloned() {
                map.insert(format!("{key}2"), value);
            }
        }
        _ if !of_key.is_empty() => {
            map.insert(key, of_key[random.usize(..of_key.len())].clone());
        }
        _ => {}
    }
}
