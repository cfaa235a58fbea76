//! Which parameters of the template a value refers to.

use std::collections::BTreeSet;

use stackgen_cfn::{Call, Function, Node, Value};

use super::context::Context;
use super::template::Template;
use crate::check::placeholders;

/// The declared parameters that a value refers to, by `!Ref` or in a `!Sub`.
pub(super) fn parameters(node: &Node, context: &Context<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(node, &mut found);
    let declared = context.spec.parameters.0.as_object();
    found.retain(|name| declared.is_some_and(|declared| declared.contains_key(name)));
    found
}

fn collect(node: &Node, found: &mut BTreeSet<String>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Map(map) => map
            .iter()
            .map(|(_, node)| node)
            .for_each(|node| collect(node, found)),
        Value::Call(call) => {
            found.extend(call.as_ref_name().map(str::to_owned));
            found.extend(placeholders(sub_text(call)).map(str::to_owned));
            collect(&call.argument, found);
        }
        _ => {}
    }
}

fn sub_text(call: &Call) -> &str {
    match (call.function, &call.argument.value) {
        (Function::Sub, Value::String(text)) => text,
        (Function::Sub, Value::List(items)) => {
            items.first().and_then(Node::as_str).unwrap_or_default()
        }
        _ => "",
    }
}

/// The parameters that reach what a deployment snapshots (row D1).
pub(super) fn snapshotted(template: &Template, context: &Context<'_>) -> BTreeSet<String> {
    const NOT_SNAPSHOTTED: [&str; 4] = ["Stage", "Deployment", "DomainName", "ApiMapping"];
    let parts = template.resources().filter(|(_, resource)| {
        let kind = resource
            .get("Type")
            .and_then(Node::as_str)
            .unwrap_or_default();
        kind.strip_prefix("AWS::ApiGatewayV2::")
            .is_some_and(|kind| !NOT_SNAPSHOTTED.contains(&kind))
    });
    parts
        .flat_map(|(_, resource)| parameters(resource, context))
        .collect()
}
