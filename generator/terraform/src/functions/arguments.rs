//! Arguments of functions.

use sha2::{Digest as _, Sha256};

use crate::error::ExpressionError;
use crate::token::TokenTable;
use crate::value::{HclMap, HclValue};

/// Returns the value with tokens replaced by equal texts, as far as these are known.
pub(crate) fn known(tokens: &TokenTable, value: &HclValue) -> HclValue {
    match value {
        HclValue::Text(text) if tokens.has_token(text) => HclValue::Text(tokens.expand(text)),
        HclValue::List(items) => {
            HclValue::List(items.iter().map(|item| known(tokens, item)).collect())
        }
        HclValue::Set(items) => {
            HclValue::set(items.iter().map(|item| known(tokens, item)).collect())
        }
        HclValue::Map(map) => {
            let entries = map.entries.iter();
            let entries = entries.map(|(key, value)| (tokens.expand(key), known(tokens, value)));
            HclValue::Map(HclMap {
                entries: entries.collect(),
                open: map.open.clone(),
            })
        }
        other => other.clone(),
    }
}

/// Returns the token of an unknown result. Its name is a function of the operands, so that equal expressions have equal
/// tokens.
pub(crate) fn derived(tokens: &TokenTable, operation: &str, operands: &[&HclValue]) -> char {
    let operands: Vec<_> = operands
        .iter()
        .map(|operand| described(tokens, operand))
        .collect();
    tokens.unknown(format!("{operation}({})", operands.join(", ")))
}

/// Returns an operand in words. Names stand in messages and templates, and a literal can be the value of a sensitive variable,
/// so that its digest stands for it. Only the key of a map that is unknown stays: `--parameter` names it so.
fn described(tokens: &TokenTable, value: &HclValue) -> String {
    /// A longer operand is replaced by its digest.
    const LONGEST: usize = 60;
    let text = match value {
        HclValue::Text(text) => format!("\"{}\"", tokens.describe(text)),
        other => match other.to_text() {
            Ok(text) => tokens.describe(&text),
            Err(_) => described_elements(tokens, other),
        },
    };
    let has_literal = match value.to_text() {
        Ok(text) => text.chars().any(|one| tokens.meaning(one).is_none()),
        Err(_) => true,
    };
    let mut words = Vec::new();
    match has_literal {
        false => words.push(text.clone()),
        true => {
            value.visit_texts(&mut |text| {
                let found = text.matches(|one| tokens.meaning(one).is_some());
                words.extend(found.map(|one| tokens.describe(one)));
            });
            words.dedup();
            words.push(short_digest(&text));
        }
    }
    let words = words.join(" ");
    match words.chars().count() > LONGEST {
        true => short_digest(&text),
        false => words,
    }
}

/// Returns a value with elements in words.
fn described_elements(tokens: &TokenTable, value: &HclValue) -> String {
    let mut words = format!("{value:?}");
    // `Debug` writes tokens as numbers, which depend on what else the configuration has.
    value.visit_texts(&mut |text| {
        for token in text.chars().filter(|one| tokens.meaning(*one).is_some()) {
            let name = tokens.describe(&token.to_string());
            words = words.replace(&token.escape_debug().to_string(), &name);
        }
    });
    words
}

/// Returns true if two values are equal; `None` if that is unknown.
pub(crate) fn equal(tokens: &TokenTable, one: &HclValue, other: &HclValue) -> Option<bool> {
    if one == other {
        return Some(true);
    }
    match (one, other) {
        (HclValue::Unknown(_), _) | (_, HclValue::Unknown(_)) => None,
        (HclValue::Text(one), HclValue::Text(other)) => {
            let (one, other) = (tokens.expand(one), tokens.expand(other));
            match one == other {
                true => Some(true),
                false if one.is_empty() || other.is_empty() => Some(false),
                false => (!tokens.has_token(&one) && !tokens.has_token(&other)).then_some(false),
            }
        }
        (HclValue::List(one), HclValue::List(other))
        | (HclValue::Set(one), HclValue::Set(other)) => {
            if one.len() != other.len() {
                return Some(false);
            }
            all_equal(
                one.iter()
                    .zip(other)
                    .map(|(one, other)| equal(tokens, one, other)),
            )
        }
        (HclValue::Map(one), HclValue::Map(other)) => {
            if !one.entries.keys().eq(other.entries.keys()) {
                return Some(false);
            }
            let pairs = one.entries.values().zip(other.entries.values());
            all_equal(pairs.map(|(one, other)| equal(tokens, one, other)))
        }
        (HclValue::Null, _) | (_, HclValue::Null) => Some(false),
        // The value of a token can be a number, a bool or a list, too.
        (HclValue::Text(text), _) | (_, HclValue::Text(text)) => {
            (!tokens.has_token(&tokens.expand(text))).then_some(false)
        }
        _ => Some(false),
    }
}

/// Returns true if a value is among others; `None` if that is unknown.
pub(super) fn is_among(tokens: &TokenTable, value: &HclValue, others: &[HclValue]) -> Option<bool> {
    let found: Vec<_> = others
        .iter()
        .map(|other| equal(tokens, value, other))
        .collect();
    match found.contains(&Some(true)) {
        true => Some(true),
        false => (!found.contains(&None)).then_some(false),
    }
}

fn all_equal(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<_> = parts.collect();
    match parts.contains(&Some(false)) {
        true => Some(false),
        false => (!parts.contains(&None)).then_some(true),
    }
}

/// Returns the argument at a position.
pub(super) fn at(arguments: &[HclValue], position: usize) -> Result<&HclValue, ExpressionError> {
    arguments
        .get(position)
        .ok_or_else(|| ExpressionError::new("not enough arguments"))
}

/// Returns the text at a position.
pub(super) fn text(arguments: &[HclValue], position: usize) -> Result<String, ExpressionError> {
    at(arguments, position)?.to_text()
}

/// Returns the number at a position.
pub(super) fn number(arguments: &[HclValue], position: usize) -> Result<f64, ExpressionError> {
    let value = at(arguments, position)?;
    value.as_number().ok_or_else(|| needed("a number", value))
}

/// Returns the whole number at a position.
pub(super) fn whole(arguments: &[HclValue], position: usize) -> Result<i64, ExpressionError> {
    let number = number(arguments, position)?;
    #[allow(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
    match number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        true => Ok(number as i64),
        false => Err(ExpressionError::new("a whole number is needed")),
    }
}

/// Returns the elements of the list or set at a position.
pub(super) fn list(
    arguments: &[HclValue],
    position: usize,
) -> Result<&[HclValue], ExpressionError> {
    let value = at(arguments, position)?;
    value.elements().ok_or_else(|| needed("a list", value))
}

/// Returns the entries of the map at a position.
pub(super) fn map(
    arguments: &[HclValue],
    position: usize,
) -> Result<&std::collections::BTreeMap<String, HclValue>, ExpressionError> {
    let value = at(arguments, position)?;
    value.entries().ok_or_else(|| needed("a map", value))
}

/// Creates the error of an argument with the wrong type.
pub(super) fn needed(expected: &str, value: &HclValue) -> ExpressionError {
    ExpressionError::new(format!("{expected} is needed, and not a {}", value.kind()))
}

/// Returns ten digits of a text's digest.
pub(crate) fn short_digest(text: &str) -> String {
    let mut digits = hex::encode(Sha256::digest(text.as_bytes()));
    digits.truncate(10);
    digits
}
