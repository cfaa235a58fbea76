//! Functions of lists and maps.

use std::collections::BTreeMap;

use super::arguments::{at, equal, is_among, list, map, needed, number, text, whole};
use super::{FunctionContext, FunctionResult};
use crate::error::ExpressionError;
use crate::token::TokenMeaning;
use crate::value::{HclMap, HclValue};

/// Longest list that `range` makes.
const LONGEST: usize = 1024;

/// Calls a function of this family; `None` for another name.
pub(super) fn call(
    context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Option<FunctionResult> {
    Some(match name {
        "alltrue" => all_or_any(context, arguments, false),
        "anytrue" => all_or_any(context, arguments, true),
        "chunklist" => chunks(arguments),
        "coalesce" => coalesce(arguments),
        "coalescelist" => coalesce_list(arguments),
        "compact" => compact(context, arguments),
        "concat" => concat(arguments),
        "contains" => contains(context, arguments),
        "distinct" => distinct(arguments),
        "element" => element(arguments),
        "flatten" => flatten(arguments),
        "index" => index(context, arguments),
        "keys" => map(arguments, 0)
            .map(|map| Some(HclValue::List(map.keys().map(HclValue::text).collect()))),
        "length" => length(context, arguments),
        "lookup" => lookup(context, arguments),
        "matchkeys" => match_keys(context, arguments),
        "merge" => merge(arguments),
        "one" => one(arguments),
        "range" => range(arguments),
        "reverse" => list(arguments, 0)
            .map(|list| Some(HclValue::List(list.iter().rev().cloned().collect()))),
        "slice" => slice(arguments),
        "sort" => sort(arguments),
        "sum" => sum(arguments),
        "transpose" => transpose(arguments),
        "values" => {
            map(arguments, 0).map(|map| Some(HclValue::List(map.values().cloned().collect())))
        }
        "zipmap" => zipmap(arguments),
        _ => return None,
    })
}

#[allow(clippy::cast_precision_loss, reason = "collections are small")]
fn count(length: usize) -> HclValue {
    HclValue::Number(length as f64)
}

fn position(arguments: &[HclValue], at: usize) -> Result<usize, ExpressionError> {
    usize::try_from(whole(arguments, at)?)
        .map_err(|_| ExpressionError::new("a position is not negative"))
}

fn all_or_any(
    context: &FunctionContext<'_>,
    arguments: &[HclValue],
    decisive: bool,
) -> FunctionResult {
    let items = list(arguments, 0)?;
    if items.iter().any(|item| item.as_bool() == Some(decisive)) {
        return Ok(Some(HclValue::Bool(decisive)));
    }
    for item in items {
        let is_unknown = match item {
            HclValue::Unknown(_) => true,
            HclValue::Text(text) => context.tokens.has_token(text),
            _ => false,
        };
        match item {
            HclValue::Null if !decisive => return Ok(Some(HclValue::Bool(false))),
            HclValue::Null => {}
            _ if is_unknown => return Ok(None),
            item if item.as_bool().is_none() => return Err(needed("a list of bools", item)),
            _ => {}
        }
    }
    Ok(Some(HclValue::Bool(!decisive)))
}

fn chunks(arguments: &[HclValue]) -> FunctionResult {
    let (list, size) = (list(arguments, 0)?, position(arguments, 1)?);
    let chunks = match size {
        0 => vec![HclValue::List(list.to_vec())],
        size => list
            .chunks(size)
            .map(|chunk| HclValue::List(chunk.to_vec()))
            .collect(),
    };
    Ok(Some(HclValue::List(chunks)))
}

fn coalesce(arguments: &[HclValue]) -> FunctionResult {
    let is_empty = |value: &HclValue| *value == HclValue::Null || *value == HclValue::text("");
    match arguments.iter().find(|value| !is_empty(value)) {
        Some(HclValue::Unknown(_)) if arguments.len() > 1 => Ok(None),
        Some(value) => Ok(Some(value.clone())),
        None => Err(ExpressionError::new("no argument is set")),
    }
}

fn coalesce_list(arguments: &[HclValue]) -> FunctionResult {
    for position in 0..arguments.len() {
        if !list(arguments, position)?.is_empty() {
            return Ok(Some(arguments[position].clone()));
        }
    }
    Err(ExpressionError::new("no list has elements"))
}

fn compact(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    let items = list(arguments, 0)?;
    let is_unknown = |letter| {
        matches!(
            context.tokens.meaning(letter),
            Some(TokenMeaning::Unknown(_))
        )
    };
    // An unknown item can be empty, and an attribute of a resource is not.
    let can_be_empty = |item: &HclValue| match item {
        HclValue::Unknown(_) => true,
        HclValue::Text(text) => !text.is_empty() && text.chars().all(is_unknown),
        _ => false,
    };
    if items.iter().any(can_be_empty) {
        return Ok(None);
    }
    let items = items
        .iter()
        .filter(|item| **item != HclValue::Null && **item != HclValue::text(""));
    Ok(Some(HclValue::List(items.cloned().collect())))
}

fn concat(arguments: &[HclValue]) -> FunctionResult {
    let mut items = Vec::new();
    for position in 0..arguments.len() {
        if matches!(arguments[position], HclValue::Unknown(_)) {
            return Ok(None);
        }
        items.extend_from_slice(list(arguments, position)?);
    }
    Ok(Some(HclValue::List(items)))
}

fn contains(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    let (items, wanted) = (list(arguments, 0)?, at(arguments, 1)?);
    Ok(is_among(context.tokens, wanted, items).map(HclValue::Bool))
}

fn distinct(arguments: &[HclValue]) -> FunctionResult {
    let mut items: Vec<HclValue> = Vec::new();
    for item in list(arguments, 0)? {
        if !items.contains(item) {
            items.push(item.clone());
        }
    }
    Ok(Some(HclValue::List(items)))
}

fn element(arguments: &[HclValue]) -> FunctionResult {
    let (items, index) = (list(arguments, 0)?, whole(arguments, 1)?);
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if length == 0 {
        return Err(ExpressionError::new("the list is empty"));
    }
    let index = usize::try_from(index.rem_euclid(length)).unwrap_or(0);
    Ok(items.get(index).cloned())
}

fn flatten(arguments: &[HclValue]) -> FunctionResult {
    fn add(items: &[HclValue], flat: &mut Vec<HclValue>) {
        for item in items {
            match item.elements() {
                Some(items) => add(items, flat),
                None => flat.push(item.clone()),
            }
        }
    }
    let mut flat = Vec::new();
    add(list(arguments, 0)?, &mut flat);
    Ok(Some(HclValue::List(flat)))
}

fn index(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    let (items, wanted) = (list(arguments, 0)?, at(arguments, 1)?);
    for (index, item) in items.iter().enumerate() {
        match equal(context.tokens, item, wanted) {
            Some(true) => return Ok(Some(count(index))),
            Some(false) => {}
            None => return Ok(None),
        }
    }
    Err(ExpressionError::new("the list has no such element"))
}

fn length(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    Ok(Some(count(match at(arguments, 0)? {
        HclValue::List(items) | HclValue::Set(items) => items.len(),
        HclValue::Map(map) => map.entries.len(),
        HclValue::Text(text) => {
            let text = context.tokens.expand(text);
            if context.tokens.has_token(&text) {
                return Ok(None);
            }
            text.chars().count()
        }
        other => return Err(needed("a list, a map or a string", other)),
    })))
}

fn lookup(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    if arguments
        .iter()
        .take(2)
        .any(|value| matches!(value, HclValue::Unknown(_)))
    {
        return Ok(None);
    }
    let (entries, key) = (
        map(arguments, 0)?,
        context.tokens.expand(&text(arguments, 1)?),
    );
    match (entries.get(&key), arguments.get(2)) {
        (Some(value), _) => Ok(Some(value.clone())),
        _ if context.tokens.has_token(&key) => Ok(None),
        (None, Some(default)) => Ok(Some(default.clone())),
        (None, None) => Err(ExpressionError::new(format!("the map has no key {key:?}"))),
    }
}

fn match_keys(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    let (values, keys, wanted) = (
        list(arguments, 0)?,
        list(arguments, 1)?,
        list(arguments, 2)?,
    );
    let mut found = Vec::new();
    for (value, key) in values.iter().zip(keys) {
        match is_among(context.tokens, key, wanted) {
            Some(true) => found.push(value.clone()),
            Some(false) => {}
            None => return Ok(None),
        }
    }
    Ok(Some(HclValue::List(found)))
}

fn merge(arguments: &[HclValue]) -> FunctionResult {
    let mut merged = HclMap::default();
    for position in 0..arguments.len() {
        match at(arguments, position)? {
            HclValue::Null => {}
            HclValue::Unknown(_) => return Ok(None),
            _ => {
                let entries = map(arguments, position)?.iter();
                merged
                    .entries
                    .extend(entries.map(|(key, value)| (key.clone(), value.clone())));
            }
        }
    }
    Ok(Some(HclValue::Map(merged)))
}

fn one(arguments: &[HclValue]) -> FunctionResult {
    match list(arguments, 0)? {
        [] => Ok(Some(HclValue::Null)),
        [only] => Ok(Some(only.clone())),
        several => Err(ExpressionError::new(format!(
            "the list has {} elements",
            several.len()
        ))),
    }
}

fn range(arguments: &[HclValue]) -> FunctionResult {
    let (start, end) = match arguments.len() {
        1 => (0.0, number(arguments, 0)?),
        _ => (number(arguments, 0)?, number(arguments, 1)?),
    };
    let step = match arguments.len() {
        3 => number(arguments, 2)?,
        _ if end < start => -1.0,
        _ => 1.0,
    };
    if step == 0.0 {
        return Err(ExpressionError::new("the step is not zero"));
    }
    let (mut numbers, mut next) = (Vec::new(), start);
    while (step > 0.0 && next < end) || (step < 0.0 && next > end) {
        if numbers.len() >= LONGEST {
            return Err(ExpressionError::new(format!(
                "the list would have more than {LONGEST} elements"
            )));
        }
        numbers.push(HclValue::Number(next));
        next += step;
    }
    Ok(Some(HclValue::List(numbers)))
}

fn slice(arguments: &[HclValue]) -> FunctionResult {
    let (items, start, end) = (
        list(arguments, 0)?,
        position(arguments, 1)?,
        position(arguments, 2)?,
    );
    match items.get(start..end) {
        Some(items) => Ok(Some(HclValue::List(items.to_vec()))),
        None => Err(ExpressionError::new(format!(
            "the list has {} elements",
            items.len()
        ))),
    }
}

fn sort(arguments: &[HclValue]) -> FunctionResult {
    let texts: Result<Vec<String>, _> = list(arguments, 0)?.iter().map(HclValue::to_text).collect();
    let mut texts = texts?;
    texts.sort();
    Ok(Some(HclValue::List(
        texts.into_iter().map(HclValue::Text).collect(),
    )))
}

fn sum(arguments: &[HclValue]) -> FunctionResult {
    let items = list(arguments, 0)?;
    if items.is_empty() {
        return Err(ExpressionError::new("the list has no elements"));
    }
    let mut sum = 0.0;
    for item in items {
        sum += item
            .as_number()
            .ok_or_else(|| needed("a list of numbers", item))?;
    }
    Ok(Some(HclValue::Number(sum)))
}

fn transpose(arguments: &[HclValue]) -> FunctionResult {
    let mut transposed: BTreeMap<String, Vec<HclValue>> = BTreeMap::new();
    for (key, values) in map(arguments, 0)? {
        for value in values
            .elements()
            .ok_or_else(|| needed("a map of lists", values))?
        {
            transposed
                .entry(value.to_text()?)
                .or_default()
                .push(HclValue::text(key));
        }
    }
    let entries = transposed
        .into_iter()
        .map(|(key, values)| (key, HclValue::List(values)));
    Ok(Some(HclValue::map(entries)))
}

fn zipmap(arguments: &[HclValue]) -> FunctionResult {
    if arguments
        .iter()
        .any(|value| matches!(value, HclValue::Unknown(_)))
    {
        return Ok(None);
    }
    let (keys, values) = (list(arguments, 0)?, list(arguments, 1)?);
    if keys.len() != values.len() {
        return Err(ExpressionError::new("the lists have different lengths"));
    }
    let entries = keys
        .iter()
        .zip(values)
        .map(|(key, value)| Ok((key.to_text()?, value.clone())));
    Ok(Some(HclValue::map(
        entries.collect::<Result<Vec<_>, ExpressionError>>()?,
    )))
}
