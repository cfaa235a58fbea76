//! Methods of `Map`.

use super::{Invoked, MethodFailure, exception, void};
use crate::error::RenderProblem;
use crate::value::{
    Heap, ListKind, MapEntryObject, MapObject, Object, ObjectId, VtlValue, java_equals,
};

pub(super) fn call(heap: &mut Heap, id: ObjectId, method: &str, arguments: &[VtlValue]) -> Invoked {
    let Some(entries) = heap.entries(&VtlValue::Object(id)) else {
        return Ok(None);
    };
    Ok(Some(match (method, arguments) {
        ("size", []) => VtlValue::length(entries.len()),
        ("isEmpty", []) => VtlValue::Boolean(entries.len() == 0),
        ("get", [key]) => get(heap, id, key),
        ("getOrDefault", [key, default]) => entries.get(key).unwrap_or(default).clone(),
        ("containsKey", [key]) => VtlValue::Boolean(entries.get(key).is_some()),
        ("containsValue", [value]) => {
            let values: Vec<_> = entries.iter().map(|(_, value)| value.clone()).collect();
            let mut found = false;
            for other in values {
                found = found || java_equals(heap, &other, value)?;
            }
            VtlValue::Boolean(found)
        }
        ("keySet", []) => {
            let keys = entries.iter().map(|(key, _)| key.clone()).collect();
            heap.view(ListKind::Set, keys, id)?
        }
        ("values", []) => {
            let values = entries.iter().map(|(_, value)| value.clone()).collect();
            heap.view(ListKind::Values, values, id)?
        }
        ("entrySet", []) => entry_set(heap, id)?,
        _ => return call_changing(heap, id, method, arguments),
    }))
}

/// Calls a method that changes the map.
fn call_changing(heap: &mut Heap, id: ObjectId, method: &str, arguments: &[VtlValue]) -> Invoked {
    Ok(Some(match (method, arguments) {
        ("put" | "putIfAbsent", [key, value]) => {
            heap.charge_places(2)?;
            let entries = entries_mut(heap, id)?;
            match entries
                .get(key)
                .filter(|old| method == "putIfAbsent" && !old.is_null())
            {
                Some(old) => old.clone(),
                None => entries
                    .put(key.clone(), value.clone())
                    .unwrap_or(VtlValue::Null),
            }
        }
        ("replace", [key, value]) => {
            let entries = entries_mut(heap, id)?;
            match entries.get(key) {
                Some(_) => entries
                    .put(key.clone(), value.clone())
                    .unwrap_or(VtlValue::Null),
                None => VtlValue::Null,
            }
        }
        ("putAll", [VtlValue::Null]) => return exception("the argument is null"),
        ("putAll", [other]) => {
            let Some(other) = heap.entries(other) else {
                return Ok(None);
            };
            let copied: Vec<_> = other.iter().cloned().collect();
            heap.charge_places(2 * copied.len())?;
            let entries = entries_mut(heap, id)?;
            for (key, value) in copied {
                entries.put(key, value);
            }
            void()
        }
        ("remove", [key]) => {
            heap.charge_length(
                heap.entries(&VtlValue::Object(id))
                    .map_or(0, MapObject::len),
            )?;
            entries_mut(heap, id)?.remove(key).unwrap_or(VtlValue::Null)
        }
        ("clear", []) => {
            entries_mut(heap, id)?.clear();
            void()
        }
        _ => return Ok(None),
    }))
}

/// Returns an entry of a map; the scope of a loop looks in the loops around it, too.
fn get(heap: &Heap, id: ObjectId, key: &VtlValue) -> VtlValue {
    let mut id = id;
    loop {
        let (found, parent) = match heap.get(id) {
            Object::Map(map) => (map.get(key), None),
            Object::Loop(scope) => (scope.storage.get(key), scope.parent),
            _ => (None, None),
        };
        match (found, parent) {
            (Some(value), _) => return value.clone(),
            (None, Some(parent)) => id = parent,
            (None, None) => return VtlValue::Null,
        }
    }
}

fn entries_mut(heap: &mut Heap, id: ObjectId) -> Result<&mut MapObject, MethodFailure> {
    match heap.get_mut(id) {
        Object::Map(map) => Ok(map),
        Object::Loop(scope) => Ok(&mut scope.storage),
        _ => Err(RenderProblem::Unsupported("a map that is none").into()),
    }
}

fn entry_set(heap: &mut Heap, id: ObjectId) -> Result<VtlValue, MethodFailure> {
    let entries = heap.entries(&VtlValue::Object(id));
    let pairs: Vec<_> = entries
        .into_iter()
        .flat_map(MapObject::iter)
        .cloned()
        .collect();
    let mut set = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        set.push(heap.allocate(Object::Entry(MapEntryObject {
            map: id,
            key,
            value,
        }))?);
    }
    Ok(heap.view(ListKind::Set, set, id)?)
}

/// Removes all entries.
pub(super) fn clear(heap: &mut Heap, map: &VtlValue) -> Result<(), MethodFailure> {
    if let VtlValue::Object(id) = map {
        entries_mut(heap, *id)?.clear();
    }
    Ok(())
}

/// Removes the entry at a place of a map.
pub(super) fn remove_at(heap: &mut Heap, id: ObjectId, index: usize) -> Result<(), MethodFailure> {
    heap.charge_length(index)?;
    let entries = entries_mut(heap, id)?;
    let key = entries.iter().nth(index).map(|(key, _)| key.clone());
    if let Some(key) = key {
        entries.remove(&key);
    }
    Ok(())
}
