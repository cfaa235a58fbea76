//! Methods of `String`. Positions count UTF-16 code units.

use super::{Invoked, MethodFailure, checked_index, exception, format, regex};
use crate::value::{Heap, ListKind, VtlValue, java_equals, to_text};

pub(super) fn call(heap: &mut Heap, text: &str, method: &str, arguments: &[VtlValue]) -> Invoked {
    heap.charge_length(text.len() / 16)?;
    let texts = arguments
        .iter()
        .all(|argument| matches!(argument, VtlValue::Null | VtlValue::Text(_)));
    if texts && arguments.iter().any(VtlValue::is_null) && rejects_null(method, arguments.len()) {
        return exception("an argument is null");
    }
    if let Some(value) = test(heap, text, method, arguments)? {
        return Ok(Some(value));
    }
    if let Some(value) = position(text, method, arguments)? {
        return Ok(Some(value));
    }
    let changed = match (method, arguments) {
        ("substring" | "subSequence", [VtlValue::Int(from), VtlValue::Int(to)]) => {
            substring(text, *from, Some(*to))?
        }
        ("substring", [VtlValue::Int(from)]) => substring(text, *from, None)?,
        ("toLowerCase", []) => text.to_lowercase(),
        ("toUpperCase", []) => text.to_uppercase(),
        ("trim", []) => text.trim_matches(|c| c <= ' ').to_owned(),
        ("concat", [VtlValue::Text(other)]) => format!("{text}{other}"),
        ("intern" | "toString", []) => text.to_owned(),
        ("replace", [VtlValue::Char(from), VtlValue::Char(to)]) => {
            let units = text
                .encode_utf16()
                .map(|unit| if unit == *from { *to } else { unit });
            String::from_utf16_lossy(&units.collect::<Vec<_>>())
        }
        ("replace", [VtlValue::Text(from), VtlValue::Text(to)]) => {
            // The result can be much longer than the text.
            heap.charge_length((text.len() + 1).saturating_mul(to.len()))?;
            text.replace(&**from, to)
        }
        ("replaceAll", [VtlValue::Text(pattern), VtlValue::Text(to)]) => {
            regex::replace(heap, text, pattern, to, false)?
        }
        ("replaceFirst", [VtlValue::Text(pattern), VtlValue::Text(to)]) => {
            regex::replace(heap, text, pattern, to, true)?
        }
        ("valueOf", [value]) => to_text(heap, value)?,
        ("format", [VtlValue::Text(pattern), values @ ..]) => {
            format::format(heap, pattern, values)?
        }
        ("join", [VtlValue::Text(separator), values @ ..]) => {
            match join(heap, separator, values)? {
                Some(text) => text,
                None => return Ok(None),
            }
        }
        ("split", [VtlValue::Text(pattern)]) => return split(heap, text, pattern, 0),
        ("split", [VtlValue::Text(pattern), VtlValue::Int(limit)]) => {
            return split(heap, text, pattern, *limit);
        }
        ("toCharArray", []) => {
            let units = text.encode_utf16().map(VtlValue::Char).collect();
            return Ok(Some(heap.list(ListKind::Array, units)?));
        }
        _ => return Ok(None),
    };
    Ok(Some(heap.string(changed)?))
}

/// Returns true for methods that exist with null as an argument, and fail.
fn rejects_null(method: &str, arguments: usize) -> bool {
    match arguments {
        1 => matches!(
            method,
            "contains"
                | "startsWith"
                | "endsWith"
                | "concat"
                | "indexOf"
                | "lastIndexOf"
                | "matches"
                | "split"
                | "contentEquals"
                | "compareToIgnoreCase"
        ),
        2 => matches!(method, "replace" | "replaceAll" | "replaceFirst"),
        _ => false,
    }
}

/// Calls a method that compares or tests.
fn test(heap: &mut Heap, text: &str, method: &str, arguments: &[VtlValue]) -> Invoked {
    let result = match (method, arguments) {
        ("isEmpty", []) => text.is_empty(),
        ("contains", [VtlValue::Text(other)]) => text.contains(&**other),
        ("startsWith", [VtlValue::Text(other)]) => text.starts_with(&**other),
        ("startsWith", [VtlValue::Text(other), VtlValue::Int(from)]) => {
            match substring(text, *from, None) {
                Ok(rest) => rest.starts_with(&**other),
                Err(_) => false,
            }
        }
        ("endsWith", [VtlValue::Text(other)]) => text.ends_with(&**other),
        ("equals" | "contentEquals", [other]) => {
            let text = VtlValue::text(text);
            java_equals(heap, &text, other)?
        }
        ("equalsIgnoreCase", [VtlValue::Null]) => false,
        ("equalsIgnoreCase", [VtlValue::Text(other)]) => {
            ignoring_case(text) == ignoring_case(other)
        }
        ("matches", [VtlValue::Text(pattern)]) => regex::matches(heap, text, pattern)?,
        ("compareTo", [VtlValue::Text(other)]) => return Ok(Some(compare(text, other))),
        ("compareToIgnoreCase", [VtlValue::Text(other)]) => {
            return Ok(Some(compare(&ignoring_case(text), &ignoring_case(other))));
        }
        _ => return Ok(None),
    };
    Ok(Some(VtlValue::Boolean(result)))
}

/// Calls a method that returns a position or a character.
fn position(text: &str, method: &str, arguments: &[VtlValue]) -> Invoked {
    let units = || text.encode_utf16().collect::<Vec<u16>>();
    Ok(Some(match (method, arguments) {
        ("length", []) => VtlValue::length(text.encode_utf16().count()),
        ("charAt", [VtlValue::Int(index)]) => {
            let units = units();
            VtlValue::Char(units[checked_index(*index, units.len())?])
        }
        ("codePointAt", [VtlValue::Int(index)]) => {
            let units = units();
            let index = checked_index(*index, units.len())?;
            let rest = String::from_utf16_lossy(&units[index..]);
            let first = rest.chars().next().map_or(0, u32::from);
            VtlValue::Int(i32::try_from(first).unwrap_or_default())
        }
        ("indexOf" | "lastIndexOf", [searched]) => match searched_units(searched) {
            Some(searched) if method == "indexOf" => index_of(&units(), &searched, 0),
            Some(searched) => last_index_of(&units(), &searched, i32::MAX),
            None => return Ok(None),
        },
        ("indexOf" | "lastIndexOf", [searched, VtlValue::Int(from)]) => {
            match searched_units(searched) {
                Some(searched) if method == "indexOf" => index_of(&units(), &searched, *from),
                Some(searched) => last_index_of(&units(), &searched, *from),
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    }))
}

/// Returns the code units that a search looks for: those of a string, or of a code point.
fn searched_units(searched: &VtlValue) -> Option<Vec<u16>> {
    match searched {
        VtlValue::Text(text) => Some(text.encode_utf16().collect()),
        VtlValue::Int(code) => {
            let c = u32::try_from(*code).ok().and_then(char::from_u32);
            // A code that is no character is never found.
            Some(c.map_or(vec![u16::MAX; 3], |c| {
                c.to_string().encode_utf16().collect()
            }))
        }
        _ => None,
    }
}

fn index_of(units: &[u16], searched: &[u16], from: i32) -> VtlValue {
    let from = usize::try_from(from).unwrap_or(0).min(units.len());
    if searched.is_empty() {
        return VtlValue::length(from);
    }
    let found = units[from..]
        .windows(searched.len())
        .position(|part| part == searched);
    found.map_or(VtlValue::Int(-1), |at| VtlValue::length(from + at))
}

fn last_index_of(units: &[u16], searched: &[u16], from: i32) -> VtlValue {
    let (Ok(from), Some(last)) = (
        usize::try_from(from),
        units.len().checked_sub(searched.len()),
    ) else {
        return VtlValue::Int(-1);
    };
    let found = (0..=from.min(last))
        .rev()
        .find(|at| units[*at..].starts_with(searched));
    found.map_or(VtlValue::Int(-1), VtlValue::length)
}

fn substring(text: &str, from: i32, to: Option<i32>) -> Result<String, MethodFailure> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let length = units.len();
    let range = (
        usize::try_from(from),
        to.map_or(Ok(length), usize::try_from),
    );
    match range {
        (Ok(from), Ok(to)) if from <= to && to <= length => {
            Ok(String::from_utf16_lossy(&units[from..to]))
        }
        _ => {
            let to = to.map_or(length.to_string(), |to| to.to_string());
            exception(format!("begin {from}, end {to}, length {length}"))
        }
    }
}

/// Returns a text in which letters that differ only in case are equal.
fn ignoring_case(text: &str) -> String {
    let upper = text.chars().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).collect()
}

/// Returns the difference of the first code units that differ, or of the lengths.
fn compare(left: &str, right: &str) -> VtlValue {
    let mut pairs = left.encode_utf16().zip(right.encode_utf16());
    let difference = pairs
        .find(|(a, b)| a != b)
        .map(|(a, b)| i32::from(a) - i32::from(b));
    let length = |text: &str| i32::try_from(text.encode_utf16().count()).unwrap_or(i32::MAX);
    VtlValue::Int(difference.unwrap_or_else(|| length(left) - length(right)))
}

fn split(heap: &mut Heap, text: &str, pattern: &str, limit: i32) -> Invoked {
    let parts = regex::split(heap, text, pattern, limit)?;
    let mut items = Vec::with_capacity(parts.len());
    for part in parts {
        items.push(heap.string(part)?);
    }
    Ok(Some(heap.list(ListKind::Array, items)?))
}

/// Joins strings, or the items of one list.
fn join(
    heap: &mut Heap,
    separator: &str,
    values: &[VtlValue],
) -> Result<Option<String>, MethodFailure> {
    let values = match values {
        [list] if heap.items(list).is_some() => heap.items(list).unwrap_or_default().to_vec(),
        _ => values.to_vec(),
    };
    let mut parts = Vec::with_capacity(values.len());
    for value in &values {
        if !matches!(value, VtlValue::Text(_) | VtlValue::Null) {
            return Ok(None);
        }
        heap.charge_length(separator.len())?;
        parts.push(to_text(heap, value)?);
    }
    Ok(Some(parts.join(separator)))
}
