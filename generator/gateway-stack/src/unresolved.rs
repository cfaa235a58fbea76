//! Problems of properties without a value.

use stackgen_model::{Resource, UnknownReason};

use super::TemplateProblem;
use super::desired::UnresolvedProperty;
use super::physical::UnresolvedReason;

/// Returns the problem of a property without a value.
pub(super) fn unresolved_problem(
    resource: &Resource,
    missing: &UnresolvedProperty,
) -> TemplateProblem {
    let path: Vec<&str> = missing.path.iter().map(String::as_str).collect();
    let (id, property) = (&resource.logical_id, path.join("."));
    let (why, hint) = match &missing.reason {
        UnresolvedReason::Unknown(unknown) => {
            (unknown.to_string(), unresolved_hint(&unknown.reason))
        }
        UnresolvedReason::NotPublished(other) => (format!("{other} is not published"), None),
        UnresolvedReason::Cycle(other) => (format!("the names form a cycle through {other}"), None),
        UnresolvedReason::NotText => ("expected text".to_owned(), None),
    };
    let message = format!("cannot determine {property} of {id}: {why}");
    TemplateProblem::at(resource.location(&path), message, hint)
}

fn unresolved_hint(reason: &UnknownReason) -> Option<String> {
    match reason {
        UnknownReason::ParameterNotGiven(name) | UnknownReason::SsmParameter(name) => {
            Some(format!("set it: `--parameter {name}=VALUE`"))
        }
        UnknownReason::Condition(name) => Some(format!(
            "set the parameters of condition {name}: `--parameter NAME=VALUE`"
        )),
        _ => None,
    }
}
