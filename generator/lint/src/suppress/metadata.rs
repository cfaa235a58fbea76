//! Suppressions in metadata of a resource or of the template: `Metadata: Stackgen: Ignore: [{Rule: SG102, Reason: …}]`.

use stackgen_cfn::{Entry, Map, Node, Span};
use stackgen_model::LogicalId;

use super::{MalformedSuppression, Suppression, SuppressionScope, Suppressions, named};
use crate::Location;

const SYNTAX: &str = "write `Ignore: [{Rule: SG102, Reason: reason}]`";

/// Reads the template's metadata and that of every resource.
pub(super) fn read(template: &Node, suppressions: &mut Suppressions) {
    let of_template = template.get("Metadata");
    of_metadata(of_template, &SuppressionScope::Template, None, suppressions);
    let resources = template.get("Resources").and_then(Node::as_map);
    for (id, entry) in resources.into_iter().flat_map(Map::entries) {
        let Some(metadata) = entry.node.get("Metadata") else {
            continue;
        };
        let id = LogicalId::new(id);
        let Entry { key_span, node } = entry;
        let scope = match key_span.file {
            Some(file) if template.span.file == Some(file) => {
                SuppressionScope::Bytes(key_span.start, node.span.end)
            }
            // A resource that was generated, or read from one of several files.
            _ => SuppressionScope::Resource(id.clone()),
        };
        of_metadata(Some(metadata), &scope, Some(&id), suppressions);
    }
}

fn of_metadata(
    metadata: Option<&Node>,
    scope: &SuppressionScope,
    resource: Option<&LogicalId>,
    suppressions: &mut Suppressions,
) {
    let ignore = metadata.and_then(|metadata| metadata.at_path(&["Stackgen", "Ignore"]));
    let Some(ignore) = ignore else { return };
    let location = |span: Span| Location {
        resource: resource.cloned(),
        span,
        ..Location::default()
    };
    let mut malformed = |message: &str, node: &Node| {
        suppressions.malformed.push(MalformedSuppression {
            message: message.to_owned(),
            hint: SYNTAX,
            location: location(node.span),
        });
    };
    let Some(items) = ignore.as_list() else {
        return malformed("`Ignore` is not a list of rules", ignore);
    };
    for item in items {
        let words = item.get("Rule").and_then(Node::as_str);
        match words.map(named) {
            None => malformed("this suppression has no `Rule`", item),
            Some(None) => malformed("this suppression names no rule", item),
            Some(Some(rules)) => suppressions.all.push(Suppression {
                rules,
                reason: reason(item),
                location: location(item.span),
                scope: scope.clone(),
            }),
        }
    }
}

fn reason(item: &Node) -> String {
    let reason = item.get("Reason").and_then(Node::as_str);
    reason.unwrap_or_default().trim().to_owned()
}
