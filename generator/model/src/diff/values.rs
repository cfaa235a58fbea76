//! Differences between canonical values.

use serde_json::{Map, Value as Json};

use super::unknown::is_unknown;
use crate::parts::hidden::{self, is_same};

/// A difference.
pub(super) struct Difference {
    pub(super) path: String,
    pub(super) before: Option<Json>,
    pub(super) after: Option<Json>,
}

impl Difference {
    /// Returns the property that differs or contains the difference.
    pub(super) fn property(&self) -> &str {
        self.path
            .split_once('.')
            .map_or(&*self.path, |(property, _)| property)
    }
}

impl Difference {
    /// Returns both values without what comes from `NoEcho` parameters. Where one value takes the place of a hidden one,
    /// both are masked: it may be the same secret in a template that does not hide it.
    pub(super) fn masked(self) -> [Option<Json>; 2] {
        let hides = |value: &Option<Json>| value.as_ref().is_some_and(hidden::is_marked);
        let both = self.before.is_some() && self.after.is_some();
        let hidden = both && (hides(&self.before) || hides(&self.after));
        [self.before, self.after].map(|value| {
            let value = hidden::masked(value?);
            Some(match hidden {
                true => Json::from(hidden::MASK),
                false => value,
            })
        })
    }
}

/// Collects all differences by path.
pub(super) fn differences(
    before: &Map<String, Json>,
    after: &Map<String, Json>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    objects("", before, after, &mut found);
    found
}

fn objects(
    path: &str,
    before: &Map<String, Json>,
    after: &Map<String, Json>,
    found: &mut Vec<Difference>,
) {
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match (before.get(key), after.get(key)) {
            (Some(Json::Object(before)), Some(Json::Object(after)))
                if !is_unknown(before) && !is_unknown(after) =>
            {
                objects(&path, before, after, found)
            }
            (Some(Json::Array(before)), Some(Json::Array(after))) => {
                lists(path, before, after, found)
            }
            (Some(before), Some(after)) if is_same(before, after) => {}
            (before, after) if before != after => {
                found.push(Difference {
                    path,
                    before: before.cloned(),
                    after: after.cloned(),
                });
            }
            _ => {}
        }
    }
}

/// Collects removed and added elements, or the order if it is the only difference.
fn lists(path: String, before: &[Json], after: &[Json], found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    let marked = before.iter().chain(after).any(hidden::is_marked);
    let same = |one: &Json, other: &Json| match marked {
        true => is_same(one, other),
        false => one == other,
    };
    let mut came: Vec<&Json> = after.iter().collect();
    let mut went = Vec::new();
    for item in before {
        match came.iter().position(|other| same(other, item)) {
            Some(index) => {
                came.remove(index);
            }
            None => went.push(item),
        }
    }
    if went.is_empty() && came.is_empty() {
        let list = |items: &[Json]| Some(Json::Array(items.to_vec()));
        found.push(Difference {
            path: format!("{path} (order)"),
            before: list(before),
            after: list(after),
        });
        return;
    }
    let went = went.into_iter().map(|item| (Some(item.clone()), None));
    let came = came.into_iter().map(|item| (None, Some(item.clone())));
    found.extend(went.chain(came).map(|(before, after)| Difference {
        path: path.clone(),
        before,
        after,
    }));
}
