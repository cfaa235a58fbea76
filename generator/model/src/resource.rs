//! A resource as the template has it, resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;
use stackgen_cfn::{Node, Span};

use crate::{LogicalId, Resolved, Unknown};

/// Every resource of a template, in its order.
pub type Resources = IndexMap<LogicalId, Arc<Resource>>;

/// One entry of the `Resources` section. A resource whose condition is false is no resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resource {
    /// Its key.
    pub logical_id: LogicalId,
    /// Its type: `AWS::ApiGatewayV2::Route`. Empty when the template has none.
    #[serde(rename = "type")]
    pub kind: String,
    /// The condition that decides whether it exists, when that is not known.
    pub conditional: Option<Conditional>,
    /// What it waits for.
    pub depends_on: Vec<LogicalId>,
    /// True when CloudFormation keeps it after it leaves the template (`DeletionPolicy: Retain`).
    pub retained: bool,
    /// Its properties.
    pub properties: Resolved,
    /// The other keys beside `Type` and `Properties`: `DeletionPolicy`, `Metadata`, …
    pub attributes: BTreeMap<String, Resolved>,
    /// True when the template only implies it, as an OpenAPI body implies routes.
    pub implied: bool,
    /// Where its key stands.
    #[serde(skip)]
    pub span: Span,
    /// As it stands in the document.
    #[serde(skip)]
    pub document: Node,
}

/// A condition that is not known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conditional {
    /// The condition's name.
    pub name: String,
    /// Why it is not known.
    pub unknown: Unknown,
}

impl Resource {
    /// A property as it stands in the document, given its path: `["DefaultRouteSettings", "ThrottlingBurstLimit"]`, with
    /// numbers for the elements of lists.
    pub fn node(&self, path: &[&str]) -> Option<&Node> {
        let properties = self.document.get("Properties")?;
        path.iter()
            .try_fold(properties, |node, key| part(node, key))
    }

    /// Where a property stands, given its path. The place of the nearest enclosing thing when there is no such property.
    pub fn place(&self, path: &[&str]) -> Span {
        let mut node = match self.document.get("Properties") {
            Some(properties) => properties,
            None => return self.span,
        };
        let mut place = self.span;
        for key in path {
            let Some(next) = part(node, key) else {
                break;
            };
            node = next;
            // What SAM's translation built stands nowhere; what is around it does.
            if node.span.file.is_some() {
                place = node.span;
            }
        }
        place
    }
}

fn part<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match node.as_list() {
        Some(items) => items.get(key.parse::<usize>().ok()?),
        None => node.get(key),
    }
}
