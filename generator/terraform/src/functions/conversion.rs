//! Conversions of types.

use super::arguments::{at, needed};
use super::{FunctionContext, FunctionResult};
use crate::error::ExpressionError;
use crate::value::{HclValue, unify};

/// Calls a function of this family; `None` for another name.
pub(super) fn call(
    context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Option<FunctionResult> {
    let value = match name {
        "sensitive" | "nonsensitive" | "tostring" | "tonumber" | "tobool" | "tolist" | "toset"
        | "tomap" | "issensitive" | "ephemeralasnull" => at(arguments, 0),
        _ => return None,
    };
    Some(value.and_then(|value| converted(context, name, value)))
}

fn converted(context: &FunctionContext<'_>, name: &str, value: &HclValue) -> FunctionResult {
    let unsuitable = |expected: &str| Err(needed(expected, value));
    if matches!(value, HclValue::Unknown(_) | HclValue::Null) {
        return Ok(Some(value.clone()));
    }
    let has_token = || {
        value
            .as_text()
            .is_some_and(|text| context.tokens.has_token(text))
    };
    Ok(Some(match name {
        "sensitive" | "nonsensitive" => value.clone(),
        "issensitive" => HclValue::Bool(false),
        "ephemeralasnull" => value.clone(),
        "tostring" => HclValue::Text(value.to_text()?),
        "tonumber" => match value {
            HclValue::Bool(_) => return unsuitable("a number"),
            value => match value.as_number() {
                Some(number) => HclValue::Number(number),
                None if has_token() => value.clone(),
                None => return unsuitable("a number"),
            },
        },
        "tobool" => match value.as_bool() {
            Some(value) => HclValue::Bool(value),
            None if has_token() => value.clone(),
            None => return unsuitable("a bool"),
        },
        "tomap" => match value.entries() {
            Some(entries) => {
                let (keys, values): (Vec<_>, Vec<_>) = entries.clone().into_iter().unzip();
                HclValue::map(keys.into_iter().zip(unify(values)))
            }
            None => return unsuitable("a map"),
        },
        _ => match (name, value.elements()) {
            ("toset", Some(items)) => HclValue::set(unify(items.to_vec())),
            (_, Some(items)) => HclValue::List(unify(items.to_vec())),
            (_, None) => {
                return Err(ExpressionError::new(format!(
                    "a list is needed, and not a {}",
                    value.kind()
                )));
            }
        },
    }))
}
