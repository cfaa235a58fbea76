//! JSON to values and back.

use serde_json::Value;

use super::object::{ListKind, MapObject, Object};
use super::{Computed, Heap, VtlValue, narrow};
use crate::error::RenderProblem;
use crate::limits::MAX_RENDER_DEPTH;

/// Parses JSON into values: objects become maps, arrays become lists of a kind.
///
/// # Errors
///
/// Fails if the text is not JSON. `origin` names the text.
pub(crate) fn parse_json(
    heap: &mut Heap,
    text: &str,
    kind: ListKind,
    origin: &'static str,
) -> Computed<VtlValue> {
    heap.charge_length(text.len())?;
    let parsed: Value = serde_json::from_str(text).map_err(|error| RenderProblem::Json {
        origin,
        reason: error.to_string(),
    })?;
    from_json(heap, &parsed, kind)
}

/// Converts JSON to values. serde_json bounds the depth of parsed JSON; deeper values of a caller fail.
pub(crate) fn from_json(heap: &mut Heap, value: &Value, kind: ListKind) -> Computed<VtlValue> {
    convert(heap, value, kind, 0)
}

fn convert(heap: &mut Heap, value: &Value, kind: ListKind, depth: usize) -> Computed<VtlValue> {
    if depth > MAX_RENDER_DEPTH {
        return Err(RenderProblem::TooDeep(MAX_RENDER_DEPTH));
    }
    Ok(match value {
        Value::Null => VtlValue::Null,
        Value::Bool(value) => VtlValue::Boolean(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => narrow(value.into()),
            (None, Some(value)) => narrow(value.into()),
            _ => VtlValue::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => heap.string(text.clone())?,
        Value::Array(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(convert(heap, item, kind, depth + 1)?);
            }
            heap.list(kind, list)?
        }
        Value::Object(entries) => {
            let mut map = MapObject::default();
            for (key, value) in entries {
                let key = heap.string(key.clone())?;
                let value = convert(heap, value, kind, depth + 1)?;
                map.put(key, value);
            }
            heap.allocate(Object::Map(map))?
        }
    })
}
