//! Methods of `List`, arrays and sets.

use super::{Invoked, MethodFailure, checked_index, exception, map, void};
use crate::value::{Heap, ListKind, Object, ObjectId, VtlValue, java_equals};

pub(super) fn call(heap: &mut Heap, id: ObjectId, method: &str, arguments: &[VtlValue]) -> Invoked {
    let this = VtlValue::Object(id);
    let Object::List(list) = heap.get(id) else {
        return Ok(None);
    };
    let (kind, length, view_of) = (list.kind, list.items.len(), list.view_of);
    let has_indexes = matches!(kind, ListKind::List | ListKind::Json | ListKind::Array);
    Ok(Some(match (method, arguments) {
        ("size", []) => VtlValue::length(length),
        ("isEmpty", []) => VtlValue::Boolean(length == 0),
        ("contains", [item]) => VtlValue::Boolean(find(heap, &this, item, false)?.is_some()),
        ("containsAll" | "addAll" | "removeAll" | "retainAll", [VtlValue::Null]) => {
            return exception("the argument is null");
        }
        ("containsAll", [other]) => match contents(heap, other) {
            Some(items) => VtlValue::Boolean(contains_all(heap, &this, &items)?),
            None => return Ok(None),
        },
        ("toArray", []) => {
            let items = items_of(heap, &this)?;
            heap.list(ListKind::Array, items)?
        }
        ("get", [VtlValue::Int(index)]) if has_indexes => return item_at(heap, &this, *index),
        ("indexOf" | "lastIndexOf", [item]) if has_indexes => {
            let found = find(heap, &this, item, method == "lastIndexOf")?;
            found.map_or(VtlValue::Int(-1), VtlValue::length)
        }
        ("subList", [VtlValue::Int(from), VtlValue::Int(to)]) if has_indexes => {
            sub_list(heap, &this, *from, *to)?
        }
        ("set", [VtlValue::Int(index), item]) if has_indexes => {
            let index = checked_index(*index, length)?;
            std::mem::replace(&mut items_mut(heap, id)[index], item.clone())
        }
        ("remove", [item]) if view_of.is_some() => remove_from_view(heap, id, item)?,
        ("removeAll" | "retainAll", [other]) if view_of.is_some() => match contents(heap, other) {
            Some(items) => retain_in_view(heap, id, &items, method == "retainAll")?,
            None => return Ok(None),
        },
        ("clear", []) if view_of.is_some() => {
            let map = view_of.map_or(VtlValue::Null, VtlValue::Object);
            return map::clear(heap, &map).map(|()| Some(void()));
        }
        _ if (kind == ListKind::Array || view_of.is_some()) && changes(heap, method, arguments) => {
            return exception("the list cannot change");
        }
        _ => return call_changing(heap, id, method, arguments),
    }))
}

/// Returns true if a method of a list that cannot change would change it.
fn changes(heap: &Heap, method: &str, arguments: &[VtlValue]) -> bool {
    match (method, arguments) {
        ("add" | "remove", [_]) | ("clear", []) => true,
        ("addAll" | "removeAll" | "retainAll", [other]) => {
            contents(heap, other).is_some_and(|items| !items.is_empty())
        }
        _ => false,
    }
}

/// Removes keys, values or entries from a map: those that are in a list, or all others.
fn retain_in_view(
    heap: &mut Heap,
    id: ObjectId,
    others: &[VtlValue],
    keep: bool,
) -> Result<VtlValue, MethodFailure> {
    let mut changed = false;
    for item in items_of(heap, &VtlValue::Object(id))? {
        let mut found = false;
        for other in others {
            found = found || java_equals(heap, &item, other)?;
        }
        if found != keep {
            remove_from_view(heap, id, &item)?;
            changed = true;
        }
    }
    Ok(VtlValue::Boolean(changed))
}

/// Removes a key, a value or an entry from a map.
fn remove_from_view(
    heap: &mut Heap,
    id: ObjectId,
    item: &VtlValue,
) -> Result<VtlValue, MethodFailure> {
    let this = VtlValue::Object(id);
    let found = find(heap, &this, item, false)?;
    if let (Some(index), Object::List(list)) = (found, heap.get_mut(id)) {
        list.items.remove(index);
        if let Some(map) = list.view_of {
            map::remove_at(heap, map, index)?;
        }
    }
    Ok(VtlValue::Boolean(found.is_some()))
}

/// Calls a method that adds or removes items.
fn call_changing(heap: &mut Heap, id: ObjectId, method: &str, arguments: &[VtlValue]) -> Invoked {
    let this = VtlValue::Object(id);
    let length = items_mut(heap, id).len();
    let can_grow = matches!(heap.get(id), Object::List(list) if matches!(list.kind, ListKind::List | ListKind::Json));
    Ok(Some(match (method, arguments) {
        ("clear", []) if can_grow => {
            items_mut(heap, id).clear();
            void()
        }
        ("add", [item]) if can_grow => {
            heap.charge_places(1)?;
            items_mut(heap, id).push(item.clone());
            VtlValue::Boolean(true)
        }
        ("add", [VtlValue::Int(index), item]) if can_grow => {
            let index = checked_index(*index, length + 1)?;
            heap.charge_places(1 + length / 32)?;
            items_mut(heap, id).insert(index, item.clone());
            void()
        }
        ("addAll", [other]) if can_grow => match contents(heap, other) {
            Some(items) => return insert_all(heap, id, length, items).map(Some),
            None => return Ok(None),
        },
        ("addAll", [VtlValue::Int(index), other]) if can_grow => match contents(heap, other) {
            Some(items) => {
                let index = checked_index(*index, length + 1)?;
                return insert_all(heap, id, index, items).map(Some);
            }
            None => return Ok(None),
        },
        ("remove", [VtlValue::Int(index)]) if can_grow => {
            let index = checked_index(*index, length)?;
            heap.charge_places(1 + length / 32)?;
            items_mut(heap, id).remove(index)
        }
        ("remove", [item]) if can_grow => {
            let found = find(heap, &this, item, false)?;
            if let Some(index) = found {
                items_mut(heap, id).remove(index);
            }
            VtlValue::Boolean(found.is_some())
        }
        ("removeAll" | "retainAll", [other]) if can_grow => match contents(heap, other) {
            Some(items) => retain(heap, id, &items, method == "retainAll")?,
            None => return Ok(None),
        },
        _ => return Ok(None),
    }))
}

/// Returns the item of a list at an index.
fn item_at(heap: &Heap, list: &VtlValue, index: i32) -> Invoked {
    let items = heap.items(list).unwrap_or_default();
    let index = checked_index(index, items.len())?;
    Ok(items.get(index).cloned())
}

fn items_mut(heap: &mut Heap, id: ObjectId) -> &mut Vec<VtlValue> {
    match heap.get_mut(id) {
        Object::List(list) => &mut list.items,
        // The callers have seen that it is a list.
        _ => unreachable!("a list stays a list"),
    }
}

fn items_of(heap: &mut Heap, value: &VtlValue) -> Result<Vec<VtlValue>, MethodFailure> {
    let items = heap.items(value).unwrap_or_default().to_vec();
    heap.charge_length(items.len())?;
    Ok(items)
}

/// Returns the items of a collection; arrays are none.
fn contents(heap: &Heap, value: &VtlValue) -> Option<Vec<VtlValue>> {
    let is_array = matches!(value, VtlValue::Object(id)
        if matches!(heap.get(*id), Object::List(list) if list.kind == ListKind::Array));
    match is_array {
        true => None,
        false => heap.items(value).map(<[VtlValue]>::to_vec),
    }
}

fn find(
    heap: &mut Heap,
    list: &VtlValue,
    item: &VtlValue,
    last: bool,
) -> Result<Option<usize>, MethodFailure> {
    let items = items_of(heap, list)?;
    let mut indexes: Vec<usize> = (0..items.len()).collect();
    if last {
        indexes.reverse();
    }
    for index in indexes {
        if java_equals(heap, &items[index], item)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn contains_all(
    heap: &mut Heap,
    list: &VtlValue,
    items: &[VtlValue],
) -> Result<bool, MethodFailure> {
    for item in items {
        if find(heap, list, item, false)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn insert_all(
    heap: &mut Heap,
    id: ObjectId,
    index: usize,
    items: Vec<VtlValue>,
) -> Result<VtlValue, MethodFailure> {
    heap.charge_places(items.len())?;
    let changed = !items.is_empty();
    items_mut(heap, id).splice(index..index, items);
    Ok(VtlValue::Boolean(changed))
}

fn retain(
    heap: &mut Heap,
    id: ObjectId,
    others: &[VtlValue],
    keep: bool,
) -> Result<VtlValue, MethodFailure> {
    let mut kept = Vec::new();
    let items = items_of(heap, &VtlValue::Object(id))?;
    let length = items.len();
    for item in items {
        let mut found = false;
        for other in others {
            found = found || java_equals(heap, &item, other)?;
        }
        if found == keep {
            kept.push(item);
        }
    }
    let changed = kept.len() != length;
    *items_mut(heap, id) = kept;
    Ok(VtlValue::Boolean(changed))
}

/// Returns a copy of a part of a list; Java's is a view.
fn sub_list(
    heap: &mut Heap,
    list: &VtlValue,
    from: i32,
    to: i32,
) -> Result<VtlValue, MethodFailure> {
    let items = items_of(heap, list)?;
    let start = checked_index(from, items.len() + 1)?;
    let end = checked_index(to, items.len() + 1)?;
    match items.get(start..end) {
        Some(part) => Ok(heap.list(ListKind::List, part.to_vec())?),
        None => exception(format!("fromIndex({from}) > toIndex({to})")),
    }
}
