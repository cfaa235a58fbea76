//! Limits of a template.

use std::collections::BTreeMap;

use stackgen_cfn::{Map, Node};

use crate::LocatedError;
use crate::environment::MergedEnvironment;
use crate::spans::DocumentSpans;

/// Maximum number of resources in a template (a CloudFormation quota).
const MAX_RESOURCES: usize = 500;
/// Maximum number of parameters in a template (a CloudFormation quota).
const MAX_PARAMETERS: usize = 200;
/// Maximum number of outputs in a template (a CloudFormation quota).
const MAX_OUTPUTS: usize = 200;

/// Returns an error for each limit that the template exceeds.
pub(crate) fn check(environment: &MergedEnvironment, template: &Node) -> Vec<LocatedError> {
    let section = |name: &str| {
        template
            .get(name)
            .and_then(Node::as_map)
            .map_or(0, Map::len)
    };
    let spans = DocumentSpans(&environment.document);
    let mut errors = Vec::new();
    let resources = section("Resources");
    if resources > MAX_RESOURCES {
        let message = format!(
            "environment `{}` has {resources} resources, and a stack can have {MAX_RESOURCES}: {}",
            environment.name,
            count_by_type(template)
        );
        errors.push(LocatedError::new(spans.key(&["name"]), message).hint(
            "let routes share a function (each function has a role, a log group and an integration), use `release: \
             pinned` (one invoke role instead of one permission per route), or move tables or the HTTP API to a stack \
             of their own",
        ));
    }
    for (name, key, limit) in [
        ("Parameters", "parameters", MAX_PARAMETERS),
        ("Outputs", "outputs", MAX_OUTPUTS),
    ] {
        let count = section(name);
        if count > limit {
            let message =
                format!("the template has {count} {key}, and CloudFormation allows {limit}");
            errors.push(LocatedError::new(spans.key(&[key]), message));
        }
    }
    errors
}

/// Counts resources by type, the most frequent first: `160 AWS::Lambda::Permission, 80 AWS::Lambda::Function`.
fn count_by_type(template: &Node) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let resources = template.get("Resources").and_then(Node::as_map);
    for (_, resource) in resources.into_iter().flat_map(Map::iter) {
        *counts
            .entry(
                resource
                    .get("Type")
                    .and_then(Node::as_str)
                    .unwrap_or("without a type"),
            )
            .or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
    let words: Vec<_> = counts
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    words.join(", ")
}
