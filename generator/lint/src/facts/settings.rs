//! Decides whether a property is set.

use stackgen_cfn::Value;
use stackgen_model::{Resolved, Resource, Text, UnknownReason};

use crate::{Confidence, Finding};

/// Returns true if a property is set, also to an unknown value: a parameter always has a value, an `If` may not.
pub(crate) fn is_set(resource: &Resource, key: &str) -> bool {
    resource.properties.get(key).is_some_and(has_value)
}

fn has_value(value: &Resolved) -> bool {
    let Resolved::Unknown(unknown) = value else {
        // A parameter with an empty default counts as not set.
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

/// Returns true if an intrinsic function computes the property. Its value can differ in another environment, because
/// deployments may not use a parameter's default.
pub(crate) fn is_computed(resource: &Resource, path: &[&str]) -> bool {
    let node = resource.node(path);
    node.is_some_and(|node| matches!(node.value, Value::Call(_)))
}

/// Returns the condition of a resource, even if the defaults of parameters decide it.
pub(crate) fn condition(resource: &Resource) -> Option<&str> {
    let unknown = resource.conditional.as_ref();
    let name = unknown.map(|conditional| conditional.name.as_str());
    name.or_else(|| resource.document.get("Condition")?.as_str())
}

/// Lowers the confidence of a finding and adds the reason to its message.
pub(crate) fn unless_overridden(mut finding: Finding) -> Finding {
    finding
        .message
        .push_str(", unless a parameter or a condition changes that");
    finding.with_confidence(Confidence::Low)
}

/// Formats text as in a template: a single reference without `Sub`.
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

/// Returns true if the URI of an integration or authorizer contains the path of a Lambda invocation.
pub(crate) fn is_invocation(uri: &Text) -> bool {
    uri.split_once(":lambda:path/").is_some()
}

/// Returns true if another resource generates this one, as SAM does for routes, so that its properties are not in the
/// file.
pub(crate) fn is_generated(resource: &Resource) -> bool {
    let properties = resource.document.get("Properties");
    resource.implied
        || properties.is_some_and(|node| resource.span.file.is_some() && node.span.file.is_none())
}

/// Returns true if an attribute of the resource can be anything: an output of a nested stack or of a custom resource,
/// or an SSM parameter.
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
