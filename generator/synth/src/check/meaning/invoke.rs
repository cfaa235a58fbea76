//! Functions that invoke functions.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_cfn::{Node, Span};

use super::Checker;
use crate::LocatedError;
use crate::names;
use crate::spec::{FunctionSpec, ReleaseMode};

impl Checker<'_> {
    pub(super) fn invoke(&mut self, name: &str, function: &FunctionSpec) {
        for other in &function.invoke {
            self.has_function(self.invoked(name, other), other);
            if other != name {
                let variable = format!("{}_FUNCTION", names::screaming_snake(other));
                self.wired_variable(name, &variable, "invoke");
            }
        }
    }

    /// Where `invoke` of a function names another.
    fn invoked(&self, name: &str, other: &str) -> Span {
        let path = ["functions", name, "invoke"];
        let names = self.document.at_path(&path).and_then(Node::as_list);
        let mut items = names.unwrap_or_default().iter();
        items
            .find(|item| item.as_str() == Some(other))
            .map_or_else(|| self.spans.value(&path), |item| item.span)
    }

    /// Whether published versions would name each other in a circle, which is told: each would have to be published
    /// before the other.
    pub(super) fn circle_of_versions(&mut self) -> bool {
        let pinned = self.spec.release_in(self.environment) == ReleaseMode::Pinned;
        let Some(circle) = circle(&self.spec.functions).filter(|_| pinned) else {
            return false;
        };
        let span = self.invoked(circle[0], circle[1]);
        let error = LocatedError::new(
            span,
            format!(
                "published versions invoke each other in a cycle: {}",
                circle.join(", ")
            ),
        );
        self.report(error.hint(
            "remove one of them from `invoke`, or write `release: live`: in a pinned environment, a version can \
             invoke only versions that are published before it",
        ));
        true
    }
}

/// Functions that invoke each other in a circle, the first one again at the end. One that invokes itself is no circle:
/// no variable of it names its version.
fn circle(functions: &BTreeMap<String, FunctionSpec>) -> Option<Vec<&str>> {
    let others = |name: &str| {
        let invoke = functions.get(name).map(|function| &function.invoke);
        let invoke = invoke.into_iter().flatten().map(String::as_str);
        invoke.filter(|other| *other != name).collect::<Vec<_>>()
    };
    // Whoever invokes nobody that is left is on no circle; take such away until there are none.
    let mut left: BTreeSet<&str> = functions.keys().map(String::as_str).collect();
    loop {
        let on: BTreeSet<&str> = left
            .iter()
            .filter(|name| others(name).iter().any(|other| left.contains(other)))
            .copied()
            .collect();
        if on.len() == left.len() {
            break;
        }
        left = on;
    }
    let mut path = vec![*left.first()?];
    loop {
        let last = path[path.len() - 1];
        let next = others(last).into_iter().find(|name| left.contains(name))?;
        let start = path.iter().position(|name| *name == next);
        path.push(next);
        if let Some(start) = start {
            return Some(path.split_off(start));
        }
    }
}
