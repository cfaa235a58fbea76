//! Graph of a model: APIs, their routes, the functions of the routes, and the tables of the functions.
//!
//! [`Graph::new`] selects boxes and arrows; [`mermaid`], [`dot`] and [`svg`] draw them.

mod access;
mod build;
mod dot;
mod layout;
mod mermaid;
mod routes;
mod services;
mod steps;
mod svg;

#[cfg(test)]
mod tests;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

use serde::Serialize;

use crate::{LogicalId, Model};

/// Boxes in columns, and arrows from each column to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The boxes, in the order of the template.
    pub nodes: Vec<GraphNode>,
    /// The arrows.
    pub edges: Vec<Edge>,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphNode {
    /// A unique ID of letters, digits and `_`. It is stable as long as the logical IDs of the template are.
    pub id: String,
    /// The kind.
    pub kind: NodeKind,
    /// The name; for routes, one line per route.
    pub lines: Vec<String>,
    /// Details, one per line.
    pub details: Vec<String>,
    /// Resource of a function, a table or another target that is one box.
    #[serde(skip)]
    pub resource: Option<LogicalId>,
}

/// Kind of a box, which determines its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// An API with its stages.
    Api,
    /// Routes of one API with the same target and authorization.
    Routes,
    /// An authorizer without a function.
    Authorizer,
    /// A function.
    Function,
    /// Another target of routes.
    Other,
    /// A table.
    Table,
}

impl NodeKind {
    /// Returns the column, counted from the left, from 0.
    pub fn column(self) -> usize {
        match self {
            NodeKind::Api => 0,
            NodeKind::Routes => 1,
            NodeKind::Authorizer | NodeKind::Function | NodeKind::Other => 2,
            NodeKind::Table => 3,
        }
    }
}

/// Headings of the columns.
pub(crate) const COLUMNS: [&str; 4] = ["APIs", "Routes", "Functions", "Tables"];

/// An arrow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Edge {
    /// The box where it starts, as an index of [`Graph::nodes`].
    pub from: usize,
    /// The box where it ends.
    pub to: usize,
    /// The label; may be empty.
    pub label: String,
    /// True for an authorizer, which is invoked before the target, and for a table that a function only knows from its
    /// environment.
    pub dashed: bool,
}

impl Graph {
    /// Returns the graph of a model.
    pub fn new(model: &Model) -> Graph {
        build::graph(model)
    }
}
