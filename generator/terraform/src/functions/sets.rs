//! Functions of sets.

use super::arguments::{is_among, list, needed};
use super::{FunctionContext, FunctionResult};
use crate::error::ExpressionError;
use crate::value::{HclValue, unify};

/// Calls a function of this family; `None` for another name.
pub(super) fn call(
    context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Option<FunctionResult> {
    let sets = || -> Result<Vec<Vec<HclValue>>, ExpressionError> {
        let sets =
            (0..arguments.len()).map(|position| Ok(unify(list(arguments, position)?.to_vec())));
        sets.collect()
    };
    let tokens = context.tokens;
    Some(match name {
        "setunion" => sets().map(|sets| Some(HclValue::set(unify(sets.concat())))),
        "setintersection" => sets().map(|sets| {
            let (first, others) = sets.split_first()?;
            items_where(first, |item| {
                let among = others.iter().map(|other| is_among(tokens, item, other));
                let among: Vec<_> = among.collect();
                match among.contains(&Some(false)) {
                    true => Some(false),
                    false => (!among.contains(&None)).then_some(true),
                }
            })
        }),
        "setsubtract" => sets().map(|sets| {
            let [first, second] = sets.as_slice() else {
                return None;
            };
            items_where(first, |item| {
                is_among(tokens, item, second).map(|found| !found)
            })
        }),
        "setproduct" => product(arguments),
        _ => return None,
    })
}

/// Returns the set of the items with a property; `None` if it is unknown whether one has it.
fn items_where(
    items: &[HclValue],
    has_property: impl Fn(&HclValue) -> Option<bool>,
) -> Option<HclValue> {
    let mut found = Vec::new();
    for item in items {
        if has_property(item)? {
            found.push(item.clone());
        }
    }
    Some(HclValue::set(found))
}

fn product(arguments: &[HclValue]) -> FunctionResult {
    /// A larger product is a mistake.
    const LARGEST: usize = 100_000;
    let mut rows: Vec<Vec<HclValue>> = vec![Vec::new()];
    let mut is_set = true;
    for (position, argument) in arguments.iter().enumerate() {
        is_set &= matches!(argument, HclValue::Set(_));
        let items = list(arguments, position)?;
        if rows.len().saturating_mul(items.len()) > LARGEST {
            return Err(needed("a smaller product", argument));
        }
        let longer = rows.iter().flat_map(|row| {
            items.iter().map(|item| {
                let mut row = row.clone();
                row.push(item.clone());
                row
            })
        });
        rows = longer.collect();
    }
    let rows: Vec<_> = rows.into_iter().map(HclValue::List).collect();
    Ok(Some(match is_set {
        true => HclValue::set(rows),
        false => HclValue::List(rows),
    }))
}
