//! Parts of stackgen.yaml in CloudFormation's syntax.

use stackgen_cfn::{Map, Node, Value, list, map};

use super::context::RenderContext;
use super::load;
use super::template::TemplateBuilder;
use crate::Dialect;

/// Order of keys in resources and policy statements. Other keys follow in alphabetical order.
const ORDER: [&str; 14] = [
    "Type",
    "Sid",
    "Effect",
    "Principal",
    "Action",
    "NotAction",
    "Resource",
    "Condition",
    "DependsOn",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "Metadata",
    "Description",
    "Properties",
];

/// Returns true if anything in the file can refer to a resource: an intrinsic function, or a section in
/// CloudFormation's syntax. The environments are already merged into the rest.
pub(super) fn refers(document: &Node) -> bool {
    let sections = document.as_map().into_iter().flat_map(Map::iter);
    sections
        .filter(|(key, _)| *key != "environments")
        .any(|(key, node)| matches!(key, "resources" | "outputs") || has_call(node))
}

fn has_call(node: &Node) -> bool {
    match &node.value {
        Value::Call(_) => true,
        Value::Map(map) => map.iter().any(|(_, node)| has_call(node)),
        Value::List(items) => items.iter().any(has_call),
        _ => false,
    }
}

/// Returns a section with sorted keys, if it is not empty.
pub(super) fn section(document: &Node, key: &str) -> Option<Node> {
    let map = document.get(key)?.as_map()?;
    (!map.is_empty()).then(|| canonical(&map.clone().into()))
}

pub(super) fn add_resources(document: &Node, template: &mut TemplateBuilder) {
    for (id, node) in sorted_entries(document, "resources") {
        template.add_node(&id, &["resources", &id], node);
    }
}

pub(super) fn add_outputs(document: &Node, template: &mut TemplateBuilder) {
    for (id, node) in sorted_entries(document, "outputs") {
        template.add_output_node(&id, node);
    }
}

fn sorted_entries(document: &Node, key: &str) -> Vec<(String, Node)> {
    match section(document, key).map(|node| node.value) {
        Some(Value::Map(map)) => map.into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Returns the same value with the keys of every mapping in a fixed order, because their order has no meaning.
pub(super) fn canonical(node: &Node) -> Node {
    match &node.value {
        Value::Map(map) => {
            let rank = |key: &str| {
                ORDER
                    .iter()
                    .position(|known| *known == key)
                    .unwrap_or(ORDER.len())
            };
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort_by_key(|key| (rank(key), *key));
            let sorted: Map = keys
                .into_iter()
                .filter_map(|key| Some((key, canonical(map.get(key)?))))
                .collect();
            Node::from(sorted)
        }
        Value::List(items) => list(items.iter().map(canonical)),
        Value::Call(call) => {
            let argument = canonical(&call.argument);
            stackgen_cfn::IntrinsicCall::new(call.function, argument).into()
        }
        _ => Node::new(node.value.clone()),
    }
    .at(node.span)
}

/// Returns the template's metadata, which tools read.
pub(super) fn metadata(context: &RenderContext<'_>) -> Node {
    let mut stackgen: Map = [
        ("Stack", Node::from(context.spec.name.as_str())),
        ("Environment", context.environment.into()),
        (
            "Release",
            if context.pinned() { "pinned" } else { "live" }.into(),
        ),
    ]
    .into_iter()
    .collect();
    if let Some(load) = &context.spec.load {
        stackgen.insert("Load", load::metadata(load));
    }
    let mut metadata = Map::new();
    metadata.insert("Stackgen", Node::from(stackgen));
    if context.dialect == Dialect::CloudFormation && !context.spec.functions.is_empty() {
        // W3002 warns about local code that `aws cloudformation package` must upload, which is intended here.
        let config = map([("config", map([("ignore_checks", list(["W3002"]))]))]);
        metadata.insert("cfn-lint", config);
    }
    metadata.into()
}
