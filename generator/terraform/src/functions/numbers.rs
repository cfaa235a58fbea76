//! Functions of numbers.

use super::arguments::{at, needed, number, text, whole};
use super::{FunctionContext, FunctionResult};
use crate::error::ExpressionError;
use crate::value::HclValue;

/// Calls a function of this family; `None` for another name.
pub(super) fn call(
    _context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Option<FunctionResult> {
    let result = match name {
        "abs" => number(arguments, 0).map(f64::abs),
        "ceil" => number(arguments, 0).map(f64::ceil),
        "floor" => number(arguments, 0).map(f64::floor),
        "signum" => number(arguments, 0).map(|number| match number {
            0.0 => 0.0,
            number => number.signum(),
        }),
        "log" => number(arguments, 0).and_then(|value| Ok(value.ln() / number(arguments, 1)?.ln())),
        "pow" => number(arguments, 0).and_then(|value| Ok(value.powf(number(arguments, 1)?))),
        "max" => extreme(arguments, f64::max),
        "min" => extreme(arguments, f64::min),
        "parseint" => parse_int(arguments),
        _ => return None,
    };
    Some(result.and_then(|number| match number.is_finite() {
        true => Ok(Some(HclValue::Number(number))),
        false => Err(ExpressionError::new("the result is not a number")),
    }))
}

fn extreme(arguments: &[HclValue], pick: fn(f64, f64) -> f64) -> Result<f64, ExpressionError> {
    let mut numbers = Vec::new();
    for position in 0..arguments.len() {
        numbers.push(number(arguments, position)?);
    }
    numbers
        .into_iter()
        .reduce(pick)
        .ok_or_else(|| ExpressionError::new("at least one number is needed"))
}

fn parse_int(arguments: &[HclValue]) -> Result<f64, ExpressionError> {
    let digits = text(arguments, 0)?;
    let base = u32::try_from(whole(arguments, 1)?).unwrap_or(0);
    if !(2..=36).contains(&base) {
        return Err(needed("a base from 2 to 36", at(arguments, 1)?));
    }
    let number = i64::from_str_radix(&digits, base);
    #[allow(
        clippy::cast_precision_loss,
        reason = "numbers are floating point here"
    )]
    number
        .map(|number| number as f64)
        .map_err(|_| ExpressionError::new(format!("{digits:?} is not a number of base {base}")))
}
