//! One entry of a section in CloudFormation's syntax.

use stackgen_cfn::{Entry, Intrinsic, Map, Node, Span, Value};

use crate::LocatedError;
use crate::wording::{join_or, nearest, use_one_of};

/// Keys of a resource.
const RESOURCE_KEYS: [&str; 9] = [
    "Type",
    "Properties",
    "DependsOn",
    "Condition",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "UpdatePolicy",
    "CreationPolicy",
    "Metadata",
];
/// Keys of an output.
const OUTPUT_KEYS: [&str; 4] = ["Value", "Description", "Export", "Condition"];
/// Keys of a parameter.
const PARAMETER_KEYS: [&str; 11] = [
    "Type",
    "Default",
    "Description",
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
];
/// Values of `DeletionPolicy`.
const DELETION_POLICIES: [&str; 4] = ["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"];
/// Values of `UpdateReplacePolicy`.
const UPDATE_REPLACE_POLICIES: [&str; 3] = ["Delete", "Retain", "Snapshot"];

/// Checks one entry of a section.
pub(super) fn check(section: &str, id: &str, entry: &Entry, errors: &mut Vec<LocatedError>) {
    match section {
        "resources" => resource(id, entry, errors),
        "outputs" => output(id, entry, errors),
        "parameters" => parameter(id, entry, errors),
        "mappings" => mapping(id, entry, errors),
        _ => condition(id, entry, errors),
    }
}

fn resource(id: &str, entry: &Entry, errors: &mut Vec<LocatedError>) {
    let Some(map) = checked_map(
        id,
        entry,
        &RESOURCE_KEYS,
        "Type",
        "write, for example, `Type: AWS::SNS::Topic`",
        errors,
    ) else {
        return;
    };
    if let Some(kind) = map
        .get("Type")
        .and_then(|node| string("Type", node, errors))
        && !is_resource_type(kind.0)
    {
        let message = format!("`{}` is not a resource type", kind.0);
        errors.push(LocatedError::new(kind.1, message).hint(
            "write, for example, `AWS::SNS::Topic`, `Custom::Name` or `AWS::SNS::Topic::MODULE`",
        ));
    }
    for key in ["Properties", "Metadata", "UpdatePolicy", "CreationPolicy"] {
        if let Some(node) = map.get(key).filter(|node| node.as_map().is_none()) {
            errors.push(must_be(key, "a mapping", node, map));
        }
    }
    if let Some(node) = map.get("DependsOn") {
        let items = node.as_list().unwrap_or(std::slice::from_ref(node));
        let wrong = items.iter().filter(|item| item.as_str().is_none());
        errors.extend(wrong.map(|item| {
            must_be(
                "DependsOn",
                "a logical ID or a list of logical IDs",
                item,
                map,
            )
        }));
    }
    for (key, known) in [
        ("DeletionPolicy", &DELETION_POLICIES[..]),
        ("UpdateReplacePolicy", &UPDATE_REPLACE_POLICIES[..]),
    ] {
        let policy = map.get(key).and_then(|node| string(key, node, errors));
        if let Some((policy, span)) = policy.filter(|(policy, _)| !known.contains(policy)) {
            errors.push(
                LocatedError::new(span, format!("`{key}` cannot be `{policy}`"))
                    .hint(use_one_of(known)),
            );
        }
    }
    if let Some(node) = map.get("Condition") {
        string("Condition", node, errors);
    }
}

fn output(id: &str, entry: &Entry, errors: &mut Vec<LocatedError>) {
    let Some(map) = checked_map(
        id,
        entry,
        &OUTPUT_KEYS,
        "Value",
        "write, for example, `Value: !Ref Topic`",
        errors,
    ) else {
        return;
    };
    if let Some(node) = map.get("Value")
        && matches!(node.value, Value::Map(_) | Value::List(_) | Value::Null)
    {
        errors.push(must_be(
            "Value",
            "a string or an intrinsic function",
            node,
            map,
        ));
    }
    if let Some(node) = map.get("Export")
        && node.get("Name").is_none()
    {
        errors.push(must_be("Export", "a mapping with `Name`", node, map));
    }
    for key in ["Condition", "Description"] {
        if let Some(node) = map.get(key) {
            string(key, node, errors);
        }
    }
}

fn parameter(id: &str, entry: &Entry, errors: &mut Vec<LocatedError>) {
    let map = checked_map(
        id,
        entry,
        &PARAMETER_KEYS,
        "Type",
        "write, for example, `Type: String`",
        errors,
    );
    let Some(kind) = map.and_then(|map| string("Type", map.get("Type")?, errors)) else {
        return;
    };
    const TYPES: [&str; 5] = [
        "String",
        "Number",
        "CommaDelimitedList",
        "List<Number>",
        "List<String>",
    ];
    let own = kind.0.strip_prefix("List<").unwrap_or(kind.0);
    if !TYPES.contains(&kind.0) && !own.starts_with("AWS::") {
        let error = LocatedError::new(kind.1, format!("`{}` is not a parameter type", kind.0));
        errors.push(match nearest(kind.0, TYPES) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("use {}, or an AWS-specific type", join_or(&TYPES))),
        });
    }
}

fn mapping(id: &str, entry: &Entry, errors: &mut Vec<LocatedError>) {
    let levels = "a mapping of mappings: `{Names: {topic: {name: …}}}`";
    let Some(map) = entry.node.as_map() else {
        return errors.push(must_be_at(id, levels, &entry.node, entry.key_span));
    };
    for (key, second) in map.entries() {
        let Some(values) = second.node.as_map() else {
            errors.push(must_be_at(key, levels, &second.node, second.key_span));
            continue;
        };
        for (key, value) in values.entries() {
            if matches!(
                value.node.value,
                Value::Map(_) | Value::Call(_) | Value::Null
            ) {
                let message = "a literal value or a list of literal values";
                errors.push(must_be_at(key, message, &value.node, value.key_span));
            }
        }
    }
}

fn condition(id: &str, entry: &Entry, errors: &mut Vec<LocatedError>) {
    use Intrinsic::{And, Condition, Equals, Not, Or};
    let call = entry.node.as_call();
    if !call.is_some_and(|call| matches!(call.function, And | Or | Not | Equals | Condition)) {
        let kinds = "`!Equals`, `!And`, `!Or`, `!Not` or `!Condition`";
        errors.push(must_be_at(id, kinds, &entry.node, entry.key_span));
    }
}

/// Returns the mapping of an entry. Reports keys that are not known, and a required key that is missing.
fn checked_map<'a>(
    id: &str,
    entry: &'a Entry,
    known: &[&str],
    required: &str,
    hint: &str,
    errors: &mut Vec<LocatedError>,
) -> Option<&'a Map> {
    let Some(map) = entry.node.as_map() else {
        errors.push(must_be_at(id, "a mapping", &entry.node, entry.key_span).hint(hint));
        return None;
    };
    for (key, child) in map.entries() {
        if known.contains(&key) || key.starts_with("Fn::") {
            continue;
        }
        let error = LocatedError::new(child.key_span, format!("unknown key `{key}` in `{id}`"));
        errors.push(match nearest(key, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(use_one_of(known)),
        });
    }
    if map.get(required).is_none() {
        errors.push(
            LocatedError::new(entry.key_span, format!("`{id}` lacks `{required}`")).hint(hint),
        );
    }
    Some(map)
}

/// Returns the string under a key with its span, or reports another type.
fn string<'a>(
    key: &str,
    node: &'a Node,
    errors: &mut Vec<LocatedError>,
) -> Option<(&'a str, Span)> {
    if node.as_str().is_none() {
        errors.push(must_be_at(key, "a string", node, node.span));
    }
    Some((node.as_str()?, node.span))
}

fn must_be(key: &str, expected: &str, node: &Node, map: &Map) -> LocatedError {
    let key_span = map.entry(key).map_or(node.span, |entry| entry.key_span);
    must_be_at(key, expected, node, key_span)
}

/// Error of a value with the wrong type. An empty value is reported at its key.
fn must_be_at(key: &str, expected: &str, node: &Node, key_span: Span) -> LocatedError {
    let span = match node.value {
        Value::Null => key_span,
        _ => node.span,
    };
    LocatedError::new(
        span,
        format!("`{key}` must be {expected}, not {}", node.kind()),
    )
}

/// Returns true for types such as `AWS::SNS::Topic`, `Custom::Name` and `AWS::SNS::Topic::MODULE`.
fn is_resource_type(text: &str) -> bool {
    let parts: Vec<_> = text.split("::").collect();
    let plain = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    match parts.as_slice() {
        ["Custom", name] => {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_@-".contains(c))
        }
        [rest @ .., "MODULE"] if rest.len() == 3 => rest.iter().all(plain),
        [_, _, _] => parts.iter().all(plain),
        _ => false,
    }
}
