//! Equality: `==` of templates, and `equals` and `hashCode` of Java.

use super::object::{Object, ObjectId};
use super::{Computed, Heap, ListKind, VtlValue, class_name, compare, to_text};
use crate::error::RenderProblem;
use crate::limits::MAX_RENDER_DEPTH;

/// Returns the result of `==` for values that are not blocks: numbers by value, values of one class by `equals`, others by
/// their texts.
pub(crate) fn template_equals(
    heap: &mut Heap,
    left: &VtlValue,
    right: &VtlValue,
) -> Computed<bool> {
    if left.is_number() && right.is_number() {
        return Ok(compare(left, right).is_eq());
    }
    if left.is_null() || right.is_null() {
        return Ok(left.is_null() && right.is_null());
    }
    if same_class(heap, left, right) {
        return java_equals(heap, left, right);
    }
    Ok(to_text(heap, left)? == to_text(heap, right)?)
}

/// Returns true if a class of the two values is, or inherits from, the other one.
fn same_class(heap: &Heap, left: &VtlValue, right: &VtlValue) -> bool {
    let (left, right) = (class_name(heap, left), class_name(heap, right));
    let lists = [ListKind::List.class_name(), ListKind::Json.class_name()];
    left == right || (lists.contains(&left) && lists.contains(&right))
}

/// Returns the result of Java's `equals`.
pub(crate) fn java_equals(heap: &mut Heap, left: &VtlValue, right: &VtlValue) -> Computed<bool> {
    equals_at(heap, left, right, 0)
}

fn equals_at(heap: &mut Heap, left: &VtlValue, right: &VtlValue, depth: usize) -> Computed<bool> {
    if depth > MAX_RENDER_DEPTH {
        return Err(RenderProblem::TooDeep(MAX_RENDER_DEPTH));
    }
    heap.charge(1)?;
    Ok(match (left, right) {
        (VtlValue::Null, VtlValue::Null)
        | (VtlValue::Input, VtlValue::Input)
        | (VtlValue::Util, VtlValue::Util) => true,
        (VtlValue::Boolean(a), VtlValue::Boolean(b)) => a == b,
        (VtlValue::Int(a), VtlValue::Int(b)) => a == b,
        (VtlValue::Long(a), VtlValue::Long(b)) => a == b,
        (VtlValue::Big(a), VtlValue::Big(b)) => a == b,
        (VtlValue::Double(a), VtlValue::Double(b)) => a.to_bits() == b.to_bits(),
        (VtlValue::Char(a), VtlValue::Char(b)) => a == b,
        (VtlValue::Class(a), VtlValue::Class(b)) => a == b,
        (VtlValue::Text(a), VtlValue::Text(b)) => {
            heap.charge_length(a.len().min(b.len()))?;
            a == b
        }
        (VtlValue::Object(a), VtlValue::Object(b)) => a == b || objects_equal(heap, *a, *b, depth)?,
        _ => false,
    })
}

fn objects_equal(heap: &mut Heap, left: ObjectId, right: ObjectId, depth: usize) -> Computed<bool> {
    match (heap.get(left), heap.get(right)) {
        (Object::List(a), Object::List(b)) => {
            let ordered = |kind| matches!(kind, ListKind::List | ListKind::Json);
            let sets = a.kind == ListKind::Set && b.kind == ListKind::Set;
            if !(sets || (ordered(a.kind) && ordered(b.kind))) || a.items.len() != b.items.len() {
                return Ok(false);
            }
            let pairs: Vec<_> = a
                .items
                .iter()
                .cloned()
                .zip(b.items.iter().cloned())
                .collect();
            for (a, b) in pairs {
                if !equals_at(heap, &a, &b, depth + 1)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Object::Map(a), Object::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            let pairs: Vec<_> = a
                .iter()
                .map(|(key, value)| (value.clone(), b.get(key).cloned()))
                .collect();
            for (a, b) in pairs {
                let Some(b) = b else { return Ok(false) };
                if !equals_at(heap, &a, &b, depth + 1)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Object::Entry(a), Object::Entry(b)) => {
            let pairs = [
                (a.key.clone(), b.key.clone()),
                (heap.entry_value(a), heap.entry_value(b)),
            ];
            Ok(equals_at(heap, &pairs[0].0, &pairs[0].1, depth + 1)?
                && equals_at(heap, &pairs[1].0, &pairs[1].1, depth + 1)?)
        }
        _ => Ok(false),
    }
}

/// Returns Java's `hashCode`. Values whose hash depends on their address have 0.
pub(crate) fn java_hash(heap: &mut Heap, value: &VtlValue, depth: usize) -> Computed<i32> {
    if depth > MAX_RENDER_DEPTH {
        return Err(RenderProblem::TooDeep(MAX_RENDER_DEPTH));
    }
    heap.charge(1)?;
    Ok(match value {
        VtlValue::Boolean(value) => {
            if *value {
                1231
            } else {
                1237
            }
        }
        VtlValue::Int(value) => *value,
        VtlValue::Long(value) => fold(*value),
        VtlValue::Double(value) => fold(i64::from_ne_bytes(value.to_bits().to_ne_bytes())),
        VtlValue::Char(value) => i32::from(*value),
        VtlValue::Text(text) => {
            heap.charge_length(text.len())?;
            let units = text.encode_utf16();
            units.fold(0i32, |hash, unit| {
                hash.wrapping_mul(31).wrapping_add(unit.into())
            })
        }
        VtlValue::Object(id) => hash_of_object(heap, *id, depth)?,
        _ => 0,
    })
}

fn hash_of_object(heap: &mut Heap, id: ObjectId, depth: usize) -> Computed<i32> {
    match heap.get(id) {
        Object::List(list) if list.kind != ListKind::Array => {
            let (kind, items) = (list.kind, list.items.clone());
            heap.charge_places(items.len())?;
            let mut hash = i32::from(kind != ListKind::Set);
            for item in items {
                let factor = if kind == ListKind::Set { 1 } else { 31 };
                hash = hash
                    .wrapping_mul(factor)
                    .wrapping_add(java_hash(heap, &item, depth + 1)?);
            }
            Ok(hash)
        }
        Object::Map(map) => {
            let entries: Vec<_> = map.iter().cloned().collect();
            heap.charge_places(entries.len())?;
            let mut hash = 0i32;
            for (key, value) in entries {
                let entry = java_hash(heap, &key, depth + 1)? ^ java_hash(heap, &value, depth + 1)?;
                hash = hash.wrapping_add(entry);
            }
            Ok(hash)
        }
        Object::Entry(entry) => {
            let (key, value) = (entry.key.clone(), heap.entry_value(entry));
            Ok(java_hash(heap, &key, depth + 1)? ^ java_hash(heap, &value, depth + 1)?)
        }
        _ => Ok(0),
    }
}

/// Returns the hash of 64 bits: both halves combined.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves of the value are combined, as in Java"
)]
fn fold(value: i64) -> i32 {
    (value ^ (value >> 32)) as i32
}
