//! Texts of values: Java's `toString`, and JSON.

use serde_json::Value;

use super::object::{ListKind, Object, ObjectId};
use super::{Computed, Heap, VtlValue, class_name, java_double};
use crate::error::RenderProblem;
use crate::limits::MAX_RENDER_DEPTH;

/// Returns the text of a value that is not a block: `{a=1, b=2}` for a map, `[1, 2]` for a list.
///
/// # Errors
///
/// Fails if values are nested too deeply, or the text is too long.
pub(crate) fn to_text(heap: &mut Heap, value: &VtlValue) -> Computed<String> {
    let mut text = String::new();
    append(heap, value, 0, &mut text)?;
    Ok(text)
}

fn append(heap: &mut Heap, value: &VtlValue, depth: usize, text: &mut String) -> Computed<()> {
    if depth > MAX_RENDER_DEPTH {
        return Err(RenderProblem::TooDeep(MAX_RENDER_DEPTH));
    }
    let before = text.len();
    match value {
        VtlValue::Null => text.push_str("null"),
        VtlValue::Boolean(value) => text.push_str(if *value { "true" } else { "false" }),
        VtlValue::Int(value) => text.push_str(&value.to_string()),
        VtlValue::Long(value) => text.push_str(&value.to_string()),
        VtlValue::Big(value) => text.push_str(&value.to_string()),
        VtlValue::Double(value) => text.push_str(&java_double(*value)),
        VtlValue::Char(unit) => text.push_str(&String::from_utf16_lossy(&[*unit])),
        VtlValue::Text(value) => text.push_str(value),
        VtlValue::Class(name) => {
            text.push_str("class ");
            text.push_str(name);
        }
        VtlValue::Input | VtlValue::Util => text.push_str(class_name(heap, value)),
        VtlValue::Object(id) => return append_object(heap, *id, depth, text),
    }
    heap.charge_length(text.len() - before + 1)
}

fn append_object(heap: &mut Heap, id: ObjectId, depth: usize, text: &mut String) -> Computed<()> {
    heap.charge(1)?;
    match heap.get(id) {
        Object::List(list) => match list.kind {
            ListKind::Json => return write_json(heap, &VtlValue::Object(id), depth, text),
            // Java writes the address; ours is always the same.
            ListKind::Array => text.push_str("[Ljava.lang.String;@1"),
            _ => {
                let items = list.items.clone();
                append_all(
                    heap,
                    id,
                    items.iter().map(|item| (None, item)),
                    ['[', ']'],
                    depth,
                    text,
                )?;
            }
        },
        Object::Map(map) => {
            let entries: Vec<_> = map.iter().cloned().collect();
            let pairs = entries.iter().map(|(key, value)| (Some(key), value));
            append_all(heap, id, pairs, ['{', '}'], depth, text)?;
        }
        Object::Entry(entry) => {
            let (key, value) = (entry.key.clone(), heap.entry_value(entry));
            append(heap, &key, depth + 1, text)?;
            text.push('=');
            append(heap, &value, depth + 1, text)?;
        }
        Object::Loop(scope) => {
            let entries: Vec<_> = scope.storage.iter().cloned().collect();
            let pairs = entries.iter().map(|(key, value)| (Some(key), value));
            append_all(heap, id, pairs, ['{', '}'], depth, text)?;
        }
        // Blocks are rendered before they get here, except inside of other values.
        Object::Block(_) => text.push_str("[block]"),
    }
    Ok(())
}

fn append_all<'a>(
    heap: &mut Heap,
    container: ObjectId,
    parts: impl Iterator<Item = (Option<&'a VtlValue>, &'a VtlValue)>,
    [open, close]: [char; 2],
    depth: usize,
    text: &mut String,
) -> Computed<()> {
    text.push(open);
    for (index, (key, value)) in parts.enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        heap.charge(2)?;
        if let Some(key) = key {
            append_inner(heap, container, key, depth, text)?;
            text.push('=');
        }
        append_inner(heap, container, value, depth, text)?;
    }
    text.push(close);
    Ok(())
}

/// Appends a part of a list or a map. One that contains itself has Java's placeholder.
fn append_inner(
    heap: &mut Heap,
    container: ObjectId,
    value: &VtlValue,
    depth: usize,
    text: &mut String,
) -> Computed<()> {
    match (value, heap.get(container)) {
        (VtlValue::Object(id), Object::List(_)) if *id == container => {
            text.push_str("(this Collection)")
        }
        (VtlValue::Object(id), _) if *id == container => text.push_str("(this Map)"),
        _ => return append(heap, value, depth + 1, text),
    }
    Ok(())
}

/// Returns a value as JSON without blanks.
pub(crate) fn to_json(heap: &mut Heap, value: &VtlValue) -> Computed<String> {
    let mut text = String::new();
    write_json(heap, value, 0, &mut text)?;
    Ok(text)
}

/// Appends a value as JSON.
fn write_json(heap: &mut Heap, value: &VtlValue, depth: usize, text: &mut String) -> Computed<()> {
    if depth > MAX_RENDER_DEPTH {
        return Err(RenderProblem::TooDeep(MAX_RENDER_DEPTH));
    }
    heap.charge(1)?;
    let before = text.len();
    match value {
        VtlValue::Null => text.push_str("null"),
        VtlValue::Boolean(_) | VtlValue::Int(_) | VtlValue::Long(_) | VtlValue::Big(_) => {
            text.push_str(&to_text(heap, value)?);
        }
        VtlValue::Double(value) if !value.is_finite() => text.push_str("null"),
        VtlValue::Double(value) => text.push_str(&java_double(*value)),
        VtlValue::Text(content) => push_quoted(content, text),
        VtlValue::Object(id) => match heap.get(*id) {
            Object::List(list) => {
                let items = list.items.clone();
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    write_json(heap, item, depth + 1, text)?;
                }
                text.push(']');
                return Ok(());
            }
            Object::Map(map) => {
                let entries: Vec<_> = map.iter().cloned().collect();
                text.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    let key = to_text(heap, key)?;
                    push_quoted(&key, text);
                    text.push(':');
                    write_json(heap, value, depth + 1, text)?;
                }
                text.push('}');
                return Ok(());
            }
            _ => push_quoted(&to_text(heap, value)?, text),
        },
        _ => push_quoted(&to_text(heap, value)?, text),
    }
    heap.charge_length(text.len() - before)
}

fn push_quoted(content: &str, text: &mut String) {
    text.push_str(&Value::from(content).to_string());
}
