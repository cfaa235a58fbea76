//! Values of Terraform's expressions.

use std::collections::BTreeMap;

use crate::error::ExpressionError;

/// Value of an expression. Lists and tuples are one, and so are maps and objects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum HclValue {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text, which may contain tokens for values that only AWS knows.
    Text(String),
    /// A list or a tuple.
    List(Vec<HclValue>),
    /// A set: sorted, without duplicates.
    Set(Vec<HclValue>),
    /// A map, an object, or the attributes of a resource.
    Map(HclMap),
    /// A value that the configuration does not determine, as its token.
    Unknown(char),
}

/// Entries of a map, sorted by their keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HclMap {
    /// The entries.
    pub(crate) entries: BTreeMap<String, HclValue>,
    /// The object whose attributes these are, if it has more of them, which only AWS knows.
    pub(crate) open: Option<OpenObject>,
}

/// A resource, data source or module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OpenObject {
    /// Address.
    pub(crate) address: String,
    /// True for a resource, which the template contains.
    pub(crate) is_resource: bool,
}

impl HclValue {
    /// Returns text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        HclValue::Text(text.into())
    }

    /// Returns a map of entries.
    pub(crate) fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, HclValue)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
        HclValue::Map(HclMap {
            entries: entries.collect(),
            open: None,
        })
    }

    /// Returns a set of elements.
    pub(crate) fn set(mut elements: Vec<HclValue>) -> Self {
        elements.sort_by(compare);
        elements.dedup();
        HclValue::Set(elements)
    }

    /// Returns the type for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            HclValue::Null => "null",
            HclValue::Bool(_) => "bool",
            HclValue::Number(_) => "number",
            HclValue::Text(_) => "string",
            HclValue::List(_) => "list",
            HclValue::Set(_) => "set",
            HclValue::Map(_) => "map",
            HclValue::Unknown(_) => "unknown value",
        }
    }

    /// Returns the elements of a list or a set.
    pub(crate) fn elements(&self) -> Option<&[HclValue]> {
        match self {
            HclValue::List(items) | HclValue::Set(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the entries of a map.
    pub(crate) fn entries(&self) -> Option<&BTreeMap<String, HclValue>> {
        match self {
            HclValue::Map(map) => Some(&map.entries),
            _ => None,
        }
    }

    /// Returns the text of a string.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            HclValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a boolean, also of the texts `true` and `false`.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            HclValue::Bool(value) => Some(*value),
            HclValue::Text(text) if text == "true" => Some(true),
            HclValue::Text(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    /// Returns the number, also of a text with one.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            HclValue::Number(number) => Some(*number),
            HclValue::Text(text) => parse_number(text),
            _ => None,
        }
    }

    /// Converts a primitive value to text. An unknown value becomes its token.
    ///
    /// # Errors
    ///
    /// If the value is null or has elements.
    pub(crate) fn to_text(&self) -> Result<String, ExpressionError> {
        Ok(match self {
            HclValue::Bool(value) => value.to_string(),
            HclValue::Number(number) => number_text(*number),
            HclValue::Text(text) => text.clone(),
            HclValue::Unknown(token) => token.to_string(),
            HclValue::Null => {
                return Err(ExpressionError::new(
                    "a string is needed here, and not null",
                ));
            }
            other => {
                let message = format!("a string is needed here, and not a {}", other.kind());
                return Err(ExpressionError::new(message));
            }
        })
    }

    /// Calls a function for every text in the value.
    pub(crate) fn visit_texts(&self, visit: &mut impl FnMut(&str)) {
        match self {
            HclValue::Text(text) => visit(text),
            HclValue::Unknown(token) => visit(token.encode_utf8(&mut [0; 4])),
            HclValue::List(items) | HclValue::Set(items) => {
                items.iter().for_each(|item| item.visit_texts(visit));
            }
            HclValue::Map(map) => map.entries.iter().for_each(|(key, value)| {
                visit(key);
                value.visit_texts(visit);
            }),
            HclValue::Null | HclValue::Bool(_) | HclValue::Number(_) => {}
        }
    }
}

/// Returns the number in a text, in the notation of Terraform.
fn parse_number(text: &str) -> Option<f64> {
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let number: f64 = is_number.then(|| text.parse().ok())??;
    number.is_finite().then_some(number)
}

/// Returns the text of a number: without an exponent, and without a fraction that is zero.
pub(crate) fn number_text(number: f64) -> String {
    let whole = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
    match whole {
        true => (number as i64).to_string(),
        false => number.to_string(),
    }
}

/// Compares values for the order of sets: numbers by size, all others by their text.
fn compare(one: &HclValue, other: &HclValue) -> std::cmp::Ordering {
    match (one, other) {
        (HclValue::Number(one), HclValue::Number(other)) => one.total_cmp(other),
        _ => sort_key(one).cmp(&sort_key(other)),
    }
}

fn sort_key(value: &HclValue) -> String {
    match value.to_text() {
        Ok(text) => text,
        Err(_) => format!("{value:?}"),
    }
}

/// Gives elements one type, as in a list or a set: texts if one of them is text.
pub(crate) fn unify(elements: Vec<HclValue>) -> Vec<HclValue> {
    let is_text = |value: &HclValue| matches!(value, HclValue::Text(_));
    let is_primitive = |value: &HclValue| {
        matches!(
            value,
            HclValue::Bool(_)
                | HclValue::Number(_)
                | HclValue::Text(_)
                | HclValue::Null
                | HclValue::Unknown(_)
        )
    };
    let kinds: std::collections::BTreeSet<_> = elements
        .iter()
        .filter(|value| !matches!(value, HclValue::Null | HclValue::Unknown(_)))
        .map(HclValue::kind)
        .collect();
    let mixed = kinds.len() > 1 && elements.iter().all(is_primitive);
    if !mixed && !elements.iter().any(is_text) || !elements.iter().all(is_primitive) {
        return elements;
    }
    let texts = elements.into_iter().map(|value| match value {
        HclValue::Bool(_) | HclValue::Number(_) => {
            HclValue::Text(value.to_text().unwrap_or_default())
        }
        other => other,
    });
    texts.collect()
}
