//! Java's numbers.

use std::cmp::Ordering;

use super::{Computed, VtlValue};
use crate::error::RenderProblem;
use crate::syntax::BinaryOperator;

const TOO_LARGE: RenderProblem = RenderProblem::Unsupported("arithmetic with more than 128 bits");

/// Returns an integer of the literal's smallest class: `Integer`, `Long` or `BigInteger`.
pub(crate) fn narrow(value: i128) -> VtlValue {
    if let Ok(value) = i32::try_from(value) {
        return VtlValue::Int(value);
    }
    i64::try_from(value).map_or(VtlValue::Big(value), VtlValue::Long)
}

/// Returns `intValue()` of a number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "Java truncates integers and saturates doubles, as `as` does"
)]
pub(crate) fn to_int(value: &VtlValue) -> Option<i32> {
    Some(match value {
        VtlValue::Int(value) => *value,
        VtlValue::Long(value) => *value as i32,
        VtlValue::Big(value) => *value as i32,
        VtlValue::Double(value) => *value as i32,
        _ => return None,
    })
}

fn integer(value: &VtlValue) -> Option<i128> {
    Some(match value {
        VtlValue::Int(value) => (*value).into(),
        VtlValue::Long(value) => (*value).into(),
        VtlValue::Big(value) => *value,
        _ => return None,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Java's doubleValue() rounds, too"
)]
fn double(value: &VtlValue) -> f64 {
    match value {
        VtlValue::Double(value) => *value,
        _ => integer(value).unwrap_or(0) as f64,
    }
}

/// Compares two numbers.
pub(crate) fn compare(left: &VtlValue, right: &VtlValue) -> Ordering {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        // Java's comparison with NaN is neither less nor greater.
        _ => double(left)
            .partial_cmp(&double(right))
            .unwrap_or(Ordering::Equal),
    }
}

/// Computes with two numbers. A division by zero is null.
///
/// # Errors
///
/// Fails where Java needs numbers of more than 128 bits, or decimals of any precision.
pub(crate) fn arithmetic(
    operator: BinaryOperator,
    left: &VtlValue,
    right: &VtlValue,
) -> Computed<VtlValue> {
    let divides = matches!(operator, BinaryOperator::Divide | BinaryOperator::Modulo);
    if divides && double(right) == 0.0 {
        return Ok(VtlValue::Null);
    }
    let big = matches!(left, VtlValue::Big(_)) || matches!(right, VtlValue::Big(_));
    match (integer(left), integer(right)) {
        (Some(a), Some(b)) if big => big_arithmetic(operator, a, b),
        (Some(a), Some(b)) => {
            let is_int = matches!((left, right), (VtlValue::Int(_), VtlValue::Int(_)));
            integer_arithmetic(operator, a, b, is_int)
        }
        _ if big => Err(RenderProblem::Unsupported(
            "arithmetic with BigInteger and Double",
        )),
        _ => Ok(VtlValue::Double(double_arithmetic(
            operator,
            double(left),
            double(right),
        ))),
    }
}

/// Computes with `Integer` and `Long`: the result has the larger class, or the next one if it does not fit.
#[expect(clippy::cast_possible_truncation, reason = "quotients wrap in Java")]
fn integer_arithmetic(
    operator: BinaryOperator,
    a: i128,
    b: i128,
    is_int: bool,
) -> Computed<VtlValue> {
    let result = match operator {
        BinaryOperator::Add => a + b,
        BinaryOperator::Subtract => a - b,
        BinaryOperator::Multiply => a.checked_mul(b).ok_or(TOO_LARGE)?,
        BinaryOperator::Divide => i128::from((a / b) as i64),
        _ => a % b,
    };
    Ok(match i64::try_from(result) {
        Err(_) => VtlValue::Big(result),
        Ok(long) => match i32::try_from(result) {
            Ok(int) if is_int => VtlValue::Int(int),
            _ => VtlValue::Long(long),
        },
    })
}

fn big_arithmetic(operator: BinaryOperator, a: i128, b: i128) -> Computed<VtlValue> {
    let result = match operator {
        BinaryOperator::Add => a.checked_add(b),
        BinaryOperator::Subtract => a.checked_sub(b),
        BinaryOperator::Multiply => a.checked_mul(b),
        BinaryOperator::Divide => a.checked_div(b),
        _ if b < 0 => {
            return Err(RenderProblem::Unsupported(
                "a modulus that is a negative BigInteger",
            ));
        }
        _ => a.checked_rem_euclid(b),
    };
    result.map(VtlValue::Big).ok_or(TOO_LARGE)
}

fn double_arithmetic(operator: BinaryOperator, a: f64, b: f64) -> f64 {
    match operator {
        BinaryOperator::Add => a + b,
        BinaryOperator::Subtract => a - b,
        BinaryOperator::Multiply => a * b,
        BinaryOperator::Divide => a / b,
        _ => a % b,
    }
}

/// Returns a double as Java's `Double.toString` writes it: `1.0`, `1.0E10`.
pub(crate) fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let fraction = if mantissa.contains('.') { "" } else { ".0" };
    format!("{mantissa}{fraction}E{exponent}")
}
