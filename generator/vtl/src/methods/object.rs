//! Methods that all objects have, and those of entries, loops and classes.

use super::Invoked;
use crate::value::{Heap, Object, ObjectId, VtlValue, class_name, java_equals, java_hash, to_text};

/// Calls a method of `Object`.
pub(super) fn call_any(
    heap: &mut Heap,
    receiver: &VtlValue,
    method: &str,
    arguments: &[VtlValue],
) -> Invoked {
    Ok(Some(match (method, arguments) {
        ("toString", []) => {
            let text = to_text(heap, receiver)?;
            heap.string(text)?
        }
        ("equals", [other]) => VtlValue::Boolean(java_equals(heap, receiver, other)?),
        ("hashCode", []) => VtlValue::Int(java_hash(heap, receiver, 0)?),
        ("getClass", []) => VtlValue::Class(class_name(heap, receiver)),
        _ => return Ok(None),
    }))
}

/// Calls a method of `Map.Entry`.
pub(super) fn call_entry(
    heap: &mut Heap,
    id: ObjectId,
    method: &str,
    arguments: &[VtlValue],
) -> Invoked {
    let Object::Entry(entry) = heap.get(id) else {
        return Ok(None);
    };
    Ok(Some(match (method, arguments) {
        ("getKey", []) => entry.key.clone(),
        ("getValue", []) => heap.entry_value(entry),
        ("setValue", [value]) => {
            let old = heap.entry_value(entry);
            let (map, key) = (entry.map, entry.key.clone());
            if let Object::Entry(entry) = heap.get_mut(id) {
                entry.value = value.clone();
            }
            match heap.get_mut(map) {
                Object::Map(map) if map.get(&key).is_some() => {
                    map.put(key, value.clone());
                }
                _ => {}
            }
            old
        }
        _ => return Ok(None),
    }))
}

/// Calls a method of a loop's scope.
pub(super) fn call_loop(
    heap: &Heap,
    id: ObjectId,
    method: &str,
    arguments: &[VtlValue],
) -> Option<VtlValue> {
    let (Object::Loop(scope), []) = (heap.get(id), arguments) else {
        return None;
    };
    let outer = |from: ObjectId| match heap.get(from) {
        Object::Loop(scope) => scope.parent,
        _ => None,
    };
    Some(match method {
        "getIndex" => VtlValue::Int(scope.index),
        "getCount" => VtlValue::Int(scope.index + 1),
        "hasNext" | "getHasNext" => VtlValue::Boolean(scope.has_next),
        "isFirst" | "getFirst" => VtlValue::Boolean(scope.index < 1),
        "isLast" | "getLast" => VtlValue::Boolean(!scope.has_next),
        "getParent" => scope.parent.map_or(VtlValue::Null, VtlValue::Object),
        "getTopmost" => {
            let top = std::iter::successors(Some(id), |id| outer(*id)).last();
            top.map_or(VtlValue::Null, VtlValue::Object)
        }
        "getReplaced" => {
            let mut scopes = std::iter::successors(Some(id), |id| outer(*id));
            let replaced = scopes.find_map(|id| match heap.get(id) {
                Object::Loop(scope) if !scope.replaced.is_null() => Some(scope.replaced.clone()),
                _ => None,
            });
            replaced.unwrap_or(VtlValue::Null)
        }
        _ => return None,
    })
}

/// Calls a method of `Class`: templates compare names of classes.
pub(super) fn call_class(
    name: &'static str,
    method: &str,
    arguments: &[VtlValue],
) -> Option<VtlValue> {
    match (method, arguments) {
        ("getName" | "getTypeName", []) => Some(VtlValue::text(name)),
        ("getSimpleName", []) => Some(VtlValue::text(
            name.rsplit(['.', '$']).next().unwrap_or(name),
        )),
        _ => None,
    }
}

/// Reads a property of `Class`.
pub(super) fn class_property(class: &'static str, name: &str) -> Option<VtlValue> {
    match name {
        "name" | "Name" => call_class(class, "getName", &[]),
        "simpleName" | "SimpleName" => call_class(class, "getSimpleName", &[]),
        _ => None,
    }
}
