//! Functions of sets.

use super::arguments::{list, needed};
use super::{FunctionContext, FunctionResult};
use crate::error::ExpressionError;
use crate::value::{HclValue, unify};

/// Calls a function of this family; `None` for another name.
pub(super) fn call(
    _context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Option<FunctionResult> {
    let sets = || -> Result<Vec<Vec<HclValue>>, ExpressionError> {
        let sets =
            (0..arguments.len()).map(|position| Ok(unify(list(arguments, position)?.to_vec())));
        sets.collect()
    };
    Some(match name {
        "setunion" => sets().map(|sets| Some(HclValue::set(unify(sets.concat())))),
        "setintersection" => sets().map(|sets| {
            let (first, others) = sets.split_first()?;
            let common = first
                .iter()
                .filter(|item| others.iter().all(|other| other.contains(item)));
            Some(HclValue::set(common.cloned().collect()))
        }),
        "setsubtract" => sets().map(|sets| {
            let [first, second] = sets.as_slice() else {
                return None;
            };
            let left = first.iter().filter(|item| !second.contains(item));
            Some(HclValue::set(left.cloned().collect()))
        }),
        "setproduct" => product(arguments),
        _ => return None,
    })
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
