//! The `Resources` section, resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use stackgen_cfn::{Entry, Node};

use super::{Detail, openapi, resources_section};
use crate::parts::name_property;
use crate::resolve::Truth;
use crate::resource::{Conditional, Resource, Resources};
use crate::{LogicalId, Problem, Resolved, Resolver};

/// Returns all resources whose condition is not false, then those that OpenAPI bodies imply.
pub(super) fn read(
    template: &Node,
    resolver: &Resolver,
    detail: Detail,
    problems: &mut Vec<Problem>,
) -> Resources {
    let mut resources = Resources::default();
    let Some(section) = resources_section(template, problems) else {
        return resources;
    };
    for (id, entry) in section.entries() {
        // Loops and macros here are gaps.
        if id.starts_with("Fn::") {
            continue;
        }
        if let Some(resource) = resource(id, entry, resolver, detail, problems) {
            resources.insert(resource.logical_id.clone(), Arc::new(resource));
        }
    }
    let implied: Vec<Resource> = resources
        .values()
        .flat_map(|resource| openapi::implied(resource))
        .collect();
    for resource in implied {
        resources.insert(resource.logical_id.clone(), Arc::new(resource));
    }
    resources
}

fn resource(
    id: &str,
    entry: &Entry,
    resolver: &Resolver,
    detail: Detail,
    problems: &mut Vec<Problem>,
) -> Option<Resource> {
    let node = &entry.node;
    let location = if entry.key_span.file.is_some() {
        entry.key_span
    } else {
        node.span
    };
    let Some(map) = node.as_map() else {
        problems.push(Problem::new(
            format!("resource {id} is {}, not a mapping", node.kind()),
            location,
        ));
        return None;
    };
    let kind = map.get("Type").and_then(Node::as_str).unwrap_or_default();
    if kind.is_empty() {
        let problem = Problem::new(format!("resource {id} has no Type"), location);
        problems
            .push(problem.with_hint("write its Type as text, such as AWS::ApiGatewayV2::Route"));
    }
    let condition = map.get("Condition");
    let conditional = match condition.and_then(|node| Some((node.as_str()?, node.span))) {
        None => None,
        Some((name, span)) => match resolver.condition_at(name, span) {
            Truth::True => None,
            Truth::False => return None,
            Truth::Unknown(unknown) => Some(Conditional {
                name: name.to_owned(),
                unknown,
            }),
        },
    };
    let mut attributes = BTreeMap::new();
    for (key, node) in map.iter() {
        if !matches!(key, "Type" | "Properties" | "Condition" | "DependsOn")
            && let Some(value) = resolver.resolve(node)
        {
            attributes.insert(key.to_owned(), value);
        }
    }
    let properties = map
        .get("Properties")
        .and_then(|node| properties(kind, node, resolver, detail));
    Some(Resource {
        logical_id: LogicalId::new(id),
        kind: kind.to_owned(),
        conditional,
        depends_on: depends_on(map.get("DependsOn")),
        retained: attributes
            .get("DeletionPolicy")
            .and_then(Resolved::as_literal)
            .is_some_and(|policy| policy.starts_with("Retain")),
        properties: properties.unwrap_or_else(|| Resolved::Map(Default::default())),
        attributes,
        implied: false,
        span: location,
        // A template that was built and not parsed has no locations.
        document: match location.file {
            Some(_) => node.clone(),
            None => Node::default(),
        },
    })
}

/// Returns the properties that are read.
fn properties(kind: &str, node: &Node, resolver: &Resolver, detail: Detail) -> Option<Resolved> {
    if detail.reads(kind) {
        return resolver.resolve(node);
    }
    let property = name_property(kind)?;
    let name = resolver.resolve(node.get(property)?)?;
    Some(Resolved::Map(
        [(property.to_owned(), name)].into_iter().collect(),
    ))
}

fn depends_on(node: Option<&Node>) -> Vec<LogicalId> {
    let Some(node) = node else {
        return Vec::new();
    };
    let items = node.as_list().unwrap_or(std::slice::from_ref(node));
    items
        .iter()
        .filter_map(Node::as_str)
        .map(LogicalId::new)
        .collect()
}
