//! Functions that invoke functions.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_cfn::{Node, Span};

use super::SpecChecker;
use crate::LocatedError;
use crate::names;
use crate::spec::{FunctionSpec, ReleaseSpec};

impl SpecChecker<'_> {
    pub(super) fn invoke(&mut self, name: &str, function: &FunctionSpec) {
        for other in &function.invoke {
            self.has_function(self.invoke_span(name, other), other);
            if other != name {
                let variable = format!("{}_FUNCTION", names::screaming_snake(other));
                self.reject_variable(name, &variable, "invoke");
            }
        }
    }

    /// Returns the span at which `invoke` of a function names another function.
    fn invoke_span(&self, name: &str, other: &str) -> Span {
        let path = ["functions", name, "invoke"];
        let names = self.document.at_path(&path).and_then(Node::as_list);
        let mut items = names.unwrap_or_default().iter();
        items
            .find(|item| item.as_str() == Some(other))
            .map_or_else(|| self.spans.value(&path), |item| item.span)
    }

    /// Reports published versions that invoke each other in a cycle: each would have to be published before the other.
    /// Returns true if there is a cycle.
    pub(super) fn report_version_cycle(&mut self) -> bool {
        let pinned = self.spec.release_in(self.environment) == ReleaseSpec::Pinned;
        let Some(cycle) = find_cycle(&self.spec.functions).filter(|_| pinned) else {
            return false;
        };
        let span = self.invoke_span(cycle[0], cycle[1]);
        let error = LocatedError::new(
            span,
            format!(
                "published versions invoke each other in a cycle: {}",
                cycle.join(", ")
            ),
        );
        self.report(error.hint(
            "remove one of them from `invoke`, or write `release: live`: in a pinned environment, a version can \
             invoke only versions that are published before it",
        ));
        true
    }
}

/// Returns functions that invoke each other in a cycle, with the first one repeated at the end. A function that invokes
/// itself is not a cycle, because no variable contains its version.
fn find_cycle(functions: &BTreeMap<String, FunctionSpec>) -> Option<Vec<&str>> {
    let others = |name: &str| {
        let invoke = functions.get(name).map(|function| &function.invoke);
        let invoke = invoke.into_iter().flatten().map(String::as_str);
        invoke.filter(|other| *other != name).collect::<Vec<_>>()
    };
    // A function that invokes none of the remaining functions is not on a cycle. Remove such functions until there are
    // none.
    let mut remaining: BTreeSet<&str> = functions.keys().map(String::as_str).collect();
    loop {
        let invoking: BTreeSet<&str> = remaining
            .iter()
            .filter(|name| others(name).iter().any(|other| remaining.contains(other)))
            .copied()
            .collect();
        if invoking.len() == remaining.len() {
            break;
        }
        remaining = invoking;
    }
    let mut path = vec![*remaining.first()?];
    loop {
        let last = path[path.len() - 1];
        let next = others(last)
            .into_iter()
            .find(|name| remaining.contains(name))?;
        let start = path.iter().position(|name| *name == next);
        path.push(next);
        if let Some(start) = start {
            return Some(path.split_off(start));
        }
    }
}
