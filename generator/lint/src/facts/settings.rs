//! Whether a property is set, and how surely.

use stackgen_cfn::Value;
use stackgen_model::{Resolved, Resource, Text, UnknownReason};

use crate::{Confidence, Finding};

/// Whether a property is set, to a value that need not be known: a parameter always has one, an `If` may leave it out.
pub(crate) fn is_set(resource: &Resource, key: &str) -> bool {
    resource.properties.get(key).is_some_and(has_value)
}

fn has_value(value: &Resolved) -> bool {
    let Resolved::Unknown(unknown) = value else {
        // A parameter that is empty by default stands for nothing.
        return *value != Resolved::Null && value.as_literal() != Some("");
    };
    match (&unknown.branches, &unknown.reason) {
        (Some(branches), _) => [&branches.yes, &branches.no]
            .into_iter()
            .all(|branch| branch.as_ref().is_some_and(has_value)),
        (
            None,
            UnknownReason::Condition(_)
            | UnknownReason::NoSuchCondition(_)
            | UnknownReason::ConditionCycle(_)
            | UnknownReason::Macro
            | UnknownReason::ForEach
            | UnknownReason::TooLarge,
        ) => false,
        (None, _) => true,
    }
}

/// Whether a function gives the property its value, so that it may be another one in another deployment: the default of
/// a parameter is not what a deployment gives.
pub(crate) fn is_computed(resource: &Resource, path: &[&str]) -> bool {
    let node = resource.node(path);
    node.is_some_and(|node| matches!(node.value, Value::Call(_)))
}

/// The condition that decides on the resource, known by the defaults of parameters or not.
pub(crate) fn condition(resource: &Resource) -> Option<&str> {
    let unknown = resource.conditional.as_ref();
    let name = unknown.map(|conditional| conditional.name.as_str());
    name.or_else(|| resource.document.get("Condition")?.as_str())
}

/// The finding with low confidence, and a word that says why.
pub(crate) fn unless_overridden(mut finding: Finding) -> Finding {
    finding
        .message
        .push_str(", unless a parameter or a condition changes that");
    finding.with_confidence(Confidence::Low)
}

/// A text as a template writes it: a reference that stands alone is no `Sub`.
pub(crate) fn as_written(text: &Text) -> String {
    match (text.as_literal(), text.as_reference()) {
        (Some(literal), _) => literal.to_owned(),
        (_, Some(reference)) => match &reference.attribute {
            None => format!("!Ref {}", reference.logical_id),
            Some(attribute) => format!("!GetAtt {}.{attribute}", reference.logical_id),
        },
        _ => text.to_string(),
    }
}

/// Whether the resource comes of another one, as a route of what SAM makes: its properties stand nowhere.
pub(crate) fn is_generated(resource: &Resource) -> bool {
    let properties = resource.document.get("Properties");
    resource.implied
        || properties.is_some_and(|node| resource.span.file.is_some() && node.span.file.is_none())
}

/// Whether an attribute of the resource may be anything: an output of a nested stack, of a custom resource, a parameter
/// of SSM.
pub(crate) fn is_opaque(resource: &Resource) -> bool {
    let kind = resource.kind.as_str();
    let opaque = [
        "AWS::CloudFormation::",
        "AWS::SSM::",
        "AWS::Serverless::",
        "AWS::ServiceCatalog::",
    ];
    !kind.starts_with("AWS::") || opaque.iter().any(|prefix| kind.starts_with(prefix))
}
