//! Methods of numbers, booleans and characters. `#set($i = 0)` with `$i.parseInt("5")` calls a static method of Java.

use std::cmp::Ordering;

use super::{Invoked, MethodFailure, exception};
use crate::value::{Heap, VtlValue, compare, java_double, to_int, to_text};

pub(super) fn call(
    heap: &mut Heap,
    receiver: &VtlValue,
    method: &str,
    arguments: &[VtlValue],
) -> Invoked {
    if arguments.is_empty()
        && let Some(value) = convert(receiver, method)
    {
        return Ok(Some(value));
    }
    match receiver {
        VtlValue::Int(_) => call_integer(heap, receiver, method, arguments),
        VtlValue::Long(_) => call_long(heap, receiver, method, arguments),
        VtlValue::Double(value) => call_double(heap, *value, method, arguments),
        VtlValue::Boolean(value) => call_boolean(heap, *value, method, arguments),
        VtlValue::Char(unit) => Ok(call_char(*unit, method, arguments)),
        VtlValue::Big(value) => Ok(match (method, arguments) {
            ("compareTo", [VtlValue::Big(other)]) => Some(ordering(value.cmp(other))),
            ("negate", []) => value.checked_neg().map(VtlValue::Big),
            ("abs", []) => value.checked_abs().map(VtlValue::Big),
            _ => None,
        }),
        _ => Ok(None),
    }
}

fn ordering(ordering: Ordering) -> VtlValue {
    VtlValue::Int(ordering as i32)
}

/// Calls a conversion that all numbers have.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "Java's conversions truncate, saturate and round as `as` does"
)]
fn convert(value: &VtlValue, method: &str) -> Option<VtlValue> {
    Some(match method {
        "intValue" => VtlValue::Int(to_int(value)?),
        "shortValue" => VtlValue::Int(to_int(value)? as i16 as i32),
        "byteValue" => VtlValue::Int(to_int(value)? as i8 as i32),
        "longValue" => VtlValue::Long(match value {
            VtlValue::Int(value) => (*value).into(),
            VtlValue::Long(value) => *value,
            VtlValue::Big(value) => *value as i64,
            VtlValue::Double(value) => *value as i64,
            _ => return None,
        }),
        "doubleValue" => VtlValue::Double(match value {
            VtlValue::Int(value) => (*value).into(),
            VtlValue::Long(value) => *value as f64,
            VtlValue::Big(value) => *value as f64,
            VtlValue::Double(value) => *value,
            _ => return None,
        }),
        _ => return None,
    })
}

fn call_integer(
    heap: &mut Heap,
    receiver: &VtlValue,
    method: &str,
    arguments: &[VtlValue],
) -> Invoked {
    Ok(Some(match (method, arguments) {
        ("parseInt", [VtlValue::Null]) => return no_number("null"),
        ("parseInt" | "valueOf", [VtlValue::Text(text)]) => VtlValue::Int(parse(text, 10)?),
        ("parseInt" | "valueOf", [VtlValue::Text(text), VtlValue::Int(radix)]) => {
            VtlValue::Int(parse(text, *radix)?)
        }
        ("valueOf", [VtlValue::Int(value)]) => VtlValue::Int(*value),
        ("toString", [VtlValue::Int(value)]) => heap.string(value.to_string())?,
        ("toBinaryString", [VtlValue::Int(value)]) => heap.string(format!("{value:b}"))?,
        ("toHexString", [VtlValue::Int(value)]) => heap.string(format!("{value:x}"))?,
        ("toOctalString", [VtlValue::Int(value)]) => heap.string(format!("{value:o}"))?,
        ("max", [VtlValue::Int(a), VtlValue::Int(b)]) => VtlValue::Int(*a.max(b)),
        ("min", [VtlValue::Int(a), VtlValue::Int(b)]) => VtlValue::Int(*a.min(b)),
        ("sum", [VtlValue::Int(a), VtlValue::Int(b)]) => VtlValue::Int(a.wrapping_add(*b)),
        ("signum", [VtlValue::Int(value)]) => VtlValue::Int(value.signum()),
        ("compareTo", [other @ VtlValue::Int(_)]) => ordering(compare(receiver, other)),
        ("compare", [a @ VtlValue::Int(_), b @ VtlValue::Int(_)]) => ordering(compare(a, b)),
        _ => return Ok(None),
    }))
}

fn call_long(
    heap: &mut Heap,
    receiver: &VtlValue,
    method: &str,
    arguments: &[VtlValue],
) -> Invoked {
    Ok(Some(match (method, arguments) {
        ("parseLong" | "valueOf", [VtlValue::Text(text)]) => match text.parse() {
            Ok(value) => VtlValue::Long(value),
            Err(_) => return no_number(text),
        },
        ("toString", [value @ (VtlValue::Int(_) | VtlValue::Long(_))]) => {
            let text = to_text(heap, value)?;
            heap.string(text)?
        }
        ("compareTo", [other @ VtlValue::Long(_)]) => ordering(compare(receiver, other)),
        ("compare", [a, b]) if is_long(a) && is_long(b) => ordering(compare(a, b)),
        _ => return Ok(None),
    }))
}

fn is_long(value: &VtlValue) -> bool {
    matches!(value, VtlValue::Int(_) | VtlValue::Long(_))
}

fn call_double(heap: &mut Heap, receiver: f64, method: &str, arguments: &[VtlValue]) -> Invoked {
    Ok(Some(match (method, arguments) {
        ("parseDouble" | "valueOf", [VtlValue::Text(text)]) => match text.trim().parse() {
            Ok(value) => VtlValue::Double(value),
            Err(_) => return no_number(text),
        },
        ("toString", [VtlValue::Double(value)]) => heap.string(java_double(*value))?,
        ("isNaN", []) => VtlValue::Boolean(receiver.is_nan()),
        ("isInfinite", []) => VtlValue::Boolean(receiver.is_infinite()),
        ("compareTo", [VtlValue::Double(other)]) => ordering(receiver.total_cmp(other)),
        _ => return Ok(None),
    }))
}

fn call_boolean(heap: &mut Heap, receiver: bool, method: &str, arguments: &[VtlValue]) -> Invoked {
    Ok(Some(match (method, arguments) {
        ("booleanValue", []) => VtlValue::Boolean(receiver),
        ("parseBoolean" | "valueOf", [VtlValue::Text(text)]) => {
            VtlValue::Boolean(text.eq_ignore_ascii_case("true"))
        }
        ("valueOf", [VtlValue::Boolean(value)]) => VtlValue::Boolean(*value),
        ("toString", [VtlValue::Boolean(value)]) => heap.string(value.to_string())?,
        ("compareTo", [VtlValue::Boolean(other)]) => ordering(receiver.cmp(other)),
        _ => return Ok(None),
    }))
}

fn call_char(receiver: u16, method: &str, arguments: &[VtlValue]) -> Option<VtlValue> {
    let test = |test: fn(char) -> bool| match arguments {
        [VtlValue::Char(unit)] => Some(VtlValue::Boolean(
            char::from_u32((*unit).into()).is_some_and(test),
        )),
        _ => None,
    };
    match (method, arguments) {
        ("charValue", []) => Some(VtlValue::Char(receiver)),
        ("compareTo", [VtlValue::Char(other)]) => {
            Some(VtlValue::Int(i32::from(receiver) - i32::from(*other)))
        }
        ("isDigit", _) => test(|c| c.is_numeric()),
        ("isLetter", _) => test(char::is_alphabetic),
        ("isLetterOrDigit", _) => test(char::is_alphanumeric),
        ("isUpperCase", _) => test(char::is_uppercase),
        ("isLowerCase", _) => test(char::is_lowercase),
        ("isWhitespace", _) => test(char::is_whitespace),
        ("toUpperCase" | "toLowerCase", [VtlValue::Char(unit)]) => {
            let c = char::from_u32((*unit).into())?;
            let changed = match method {
                "toUpperCase" => c.to_uppercase().next(),
                _ => c.to_lowercase().next(),
            };
            let unit = changed.and_then(|c| u16::try_from(u32::from(c)).ok());
            unit.map(VtlValue::Char)
        }
        _ => None,
    }
}

fn parse(text: &str, radix: i32) -> Result<i32, MethodFailure> {
    let radix = u32::try_from(radix)
        .ok()
        .filter(|radix| (2..=36).contains(radix));
    match radix.and_then(|radix| i32::from_str_radix(text, radix).ok()) {
        Some(value) => Ok(value),
        None => no_number(text),
    }
}

fn no_number<T>(text: &str) -> Result<T, MethodFailure> {
    exception(format!("`{text}` is not a number"))
}
