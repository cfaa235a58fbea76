//! Resources of a template, resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use stackgen_cfn::{Node, Span};

use crate::{LogicalId, OrderedMap, Resolved, Unknown};

/// All resources of a template, in its order.
pub type Resources = OrderedMap<LogicalId, Arc<Resource>>;

/// An entry of the `Resources` section. A resource whose condition is false is left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resource {
    /// The key under `Resources`.
    pub logical_id: LogicalId,
    /// The type: `AWS::ApiGatewayV2::Route`. Empty if the template has none.
    #[serde(rename = "type")]
    pub kind: String,
    /// The condition that decides whether it exists, if the condition is unknown.
    pub conditional: Option<Conditional>,
    /// `DependsOn`.
    pub depends_on: Vec<LogicalId>,
    /// True if CloudFormation keeps it after it leaves the template (`DeletionPolicy: Retain`).
    pub retained: bool,
    /// The properties.
    pub properties: Resolved,
    /// The other keys besides `Type` and `Properties`: `DeletionPolicy`, `Metadata`, …
    pub attributes: BTreeMap<String, Resolved>,
    /// True if the template only implies it, as an OpenAPI body implies routes.
    pub implied: bool,
    /// The location of its key.
    #[serde(skip)]
    pub span: Span,
    /// Its node in the document.
    #[serde(skip)]
    pub document: Node,
}

/// An unknown condition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conditional {
    /// The name of the condition.
    pub name: String,
    /// The reason why it is unknown.
    pub unknown: Unknown,
}

impl Resource {
    /// Returns the node of a property by its path: `["DefaultRouteSettings", "ThrottlingBurstLimit"]`, with numbers for
    /// the elements of lists.
    pub fn node(&self, path: &[&str]) -> Option<&Node> {
        let properties = self.document.get("Properties")?;
        path.iter()
            .try_fold(properties, |node, key| part(node, key))
    }

    /// Returns the location of a property by its path. If there is no such property, it is the location of the nearest
    /// enclosing node.
    pub fn location(&self, path: &[&str]) -> Span {
        let mut node = match self.document.get("Properties") {
            Some(properties) => properties,
            None => return self.span,
        };
        let mut location = self.span;
        for key in path {
            let Some(next) = part(node, key) else {
                break;
            };
            node = next;
            // Nodes of SAM's translation have no location, but the nodes around them do.
            if node.span.file.is_some() {
                location = node.span;
            }
        }
        location
    }
}

fn part<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match node.as_list() {
        Some(items) => items.get(key.parse::<usize>().ok()?),
        None => node.get(key),
    }
}
