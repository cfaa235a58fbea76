//! Values that a path selects.

use super::{Comparison, Filter, JsonPath, Operand, Selector};
use crate::value::{Computed, Heap, ListKind, Object, VtlValue, compare, from_json, java_equals};

/// Returns the value of a definite path, or null; of any other path, the list of its values.
pub(crate) fn evaluate(heap: &mut Heap, path: &JsonPath, root: &VtlValue) -> Computed<VtlValue> {
    let mut found = select(heap, path, root, root)?;
    if path.is_definite() {
        return Ok(found.pop().unwrap_or(VtlValue::Null));
    }
    heap.list(ListKind::Json, found)
}

/// Returns the values of a path that starts at a value.
fn select(
    heap: &mut Heap,
    path: &JsonPath,
    start: &VtlValue,
    root: &VtlValue,
) -> Computed<Vec<VtlValue>> {
    let mut current = vec![start.clone()];
    for step in &path.steps {
        if step.recursive {
            current = with_descendants(heap, current)?;
        }
        let mut next = Vec::new();
        for value in &current {
            heap.charge_places(1)?;
            append_selected(heap, &step.selector, value, root, &mut next)?;
        }
        current = next;
    }
    Ok(current)
}

/// Returns values with all values inside of them, from the outside to the inside.
fn with_descendants(heap: &mut Heap, values: Vec<VtlValue>) -> Computed<Vec<VtlValue>> {
    let mut all = Vec::new();
    let mut open = values;
    open.reverse();
    while let Some(value) = open.pop() {
        heap.charge_places(1)?;
        let inner = children(heap, &value);
        open.extend(inner.into_iter().rev());
        all.push(value);
    }
    Ok(all)
}

fn children(heap: &Heap, value: &VtlValue) -> Vec<VtlValue> {
    match (heap.items(value), heap.entries(value)) {
        (Some(items), _) => items.to_vec(),
        (None, Some(entries)) => entries.iter().map(|(_, value)| value.clone()).collect(),
        (None, None) => Vec::new(),
    }
}

fn append_selected(
    heap: &mut Heap,
    selector: &Selector,
    value: &VtlValue,
    root: &VtlValue,
    selected: &mut Vec<VtlValue>,
) -> Computed<()> {
    match selector {
        Selector::Name(name) => selected.extend(property(heap, value, name)),
        Selector::Names(names) => {
            let found: Vec<_> = names
                .iter()
                .filter_map(|name| Some((VtlValue::text(name), property(heap, value, name)?)))
                .collect();
            if heap.entries(value).is_some() {
                selected.push(heap.map(found)?);
            }
        }
        Selector::Indexes(indexes) => {
            let items = heap.items(value).unwrap_or_default();
            let found = indexes
                .iter()
                .filter_map(|index| items.get(from_end(*index, items.len())?));
            selected.extend(found.cloned());
        }
        Selector::Slice(from, to) => {
            let items = heap.items(value).unwrap_or_default();
            let start = from
                .map_or(Some(0), |from| from_end(from, items.len()))
                .unwrap_or(0);
            let end = to
                .map_or(Some(items.len()), |to| from_end(to, items.len()))
                .unwrap_or(0);
            selected.extend_from_slice(items.get(start..end.min(items.len())).unwrap_or_default());
        }
        Selector::All => {
            let found = children(heap, value);
            heap.charge_length(found.len())?;
            selected.extend(found);
        }
        Selector::Filter(filter) => {
            let candidates = match heap.items(value) {
                Some(items) => items.to_vec(),
                None if is_map(heap, value) => vec![value.clone()],
                None => Vec::new(),
            };
            for candidate in candidates {
                if holds(heap, filter, &candidate, root)? {
                    selected.push(candidate);
                }
            }
        }
    }
    Ok(())
}

fn property(heap: &Heap, value: &VtlValue, name: &str) -> Option<VtlValue> {
    heap.entries(value)?.get(&VtlValue::text(name)).cloned()
}

fn is_map(heap: &Heap, value: &VtlValue) -> bool {
    matches!(value, VtlValue::Object(id) if matches!(heap.get(*id), Object::Map(_)))
}

/// Returns an index of a list; a negative one counts from the end.
fn from_end(index: i64, length: usize) -> Option<usize> {
    if index >= 0 {
        return usize::try_from(index).ok();
    }
    let back = usize::try_from(index.unsigned_abs()).ok()?;
    length.checked_sub(back)
}

/// Returns true if an item fulfils a filter.
fn holds(heap: &mut Heap, filter: &Filter, item: &VtlValue, root: &VtlValue) -> Computed<bool> {
    heap.charge(1)?;
    match filter {
        Filter::Or(filters) => {
            for filter in filters {
                if holds(heap, filter, item, root)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Filter::And(filters) => {
            for filter in filters {
                if !holds(heap, filter, item, root)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Filter::Not(filter) => Ok(!holds(heap, filter, item, root)?),
        Filter::Exists(operand) => Ok(value(heap, operand, item, root)?.is_some()),
        Filter::Compare(left, comparison, right) => {
            let left = value(heap, left, item, root)?;
            let right = value(heap, right, item, root)?;
            match (left, right) {
                (Some(left), Some(right)) => matches(heap, &left, *comparison, &right),
                _ => Ok(matches!(comparison, Comparison::NotEqual)),
            }
        }
    }
}

fn value(
    heap: &mut Heap,
    operand: &Operand,
    item: &VtlValue,
    root: &VtlValue,
) -> Computed<Option<VtlValue>> {
    let mut found = match operand {
        Operand::Item(path) => select(heap, path, item, root)?,
        Operand::Root(path) => select(heap, path, root, root)?,
        Operand::Literal(literal) => vec![from_json(heap, literal, ListKind::Json)?],
    };
    Ok(found.pop())
}

fn matches(
    heap: &mut Heap,
    left: &VtlValue,
    comparison: Comparison,
    right: &VtlValue,
) -> Computed<bool> {
    let order = match (left, right) {
        (left, right) if left.is_number() && right.is_number() => Some(compare(left, right)),
        (VtlValue::Text(left), VtlValue::Text(right)) => Some(left.cmp(right)),
        _ => None,
    };
    Ok(match (comparison, order) {
        (Comparison::Equal, Some(order)) => order.is_eq(),
        (Comparison::NotEqual, Some(order)) => order.is_ne(),
        (Comparison::Equal, None) => java_equals(heap, left, right)?,
        (Comparison::NotEqual, None) => !java_equals(heap, left, right)?,
        (Comparison::Less, order) => order.is_some_and(std::cmp::Ordering::is_lt),
        (Comparison::LessOrEqual, order) => order.is_some_and(std::cmp::Ordering::is_le),
        (Comparison::Greater, order) => order.is_some_and(std::cmp::Ordering::is_gt),
        (Comparison::GreaterOrEqual, order) => order.is_some_and(std::cmp::Ordering::is_ge),
    })
}
